"""The device of a training: its precision, the switches that make it repeatable, and what of it is recorded."""

from __future__ import annotations

import os
import platform
import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from switchrank import __version__
from switchrank.core.instructions import processor
from switchrank.core.precision import PRECISIONS


def autocast(name: str, device: torch.device) -> AbstractContextManager[object]:
    """The context forward passes run in, by the name of a precision."""
    dtype = PRECISIONS[name]
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype=dtype)


@contextmanager
def repeatable(threads: int) -> Iterator[None]:
    """Deterministic algorithms and a fixed number of threads inside the block; both are put back afterwards."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    filling: Any = torch.utils.deterministic
    before = torch.get_deterministic_debug_mode(), torch.get_num_threads(), filling.fill_uninitialized_memory
    torch.set_deterministic_debug_mode("error")  # use_deterministic_algorithms would import torch's compiler
    filling.fill_uninitialized_memory = False  # a tenth of the time on CPU, and no result depends on it
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before[0])
        torch.set_num_threads(before[1])
        filling.fill_uninitialized_memory = before[2]


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy's global generator and torch (all devices)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 -- libraries draw from the global generator
    torch.manual_seed(seed)


def made_with(device: torch.device) -> dict[str, Any]:
    """What the numbers depend on beside settings and inputs: versions, the device, and the processor that finished."""
    packages = ("torch", "transformers", "tokenizers", "numpy")
    own = {"switchrank": __version__, "python": platform.python_version()}
    return {
        "versions": own | {name: version(name) for name in packages},
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "processor": processor(),
    }
