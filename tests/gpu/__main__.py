"""Prints why the tests of this folder cannot run here; nothing where they can."""

import torch

if not torch.cuda.is_available():
    print("no CUDA device is visible")
