"""The device of a training: its name, its precision, and the switches that make it repeatable."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch

from switchrank.core import precision
from switchrank.train.settings import check_precision


def describe_device(device: torch.device) -> str:
    """``cpu``, or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def find_precision(wanted: str, device: torch.device) -> str:
    """``auto`` resolved (:func:`switchrank.core.precision.find_precision`).

    Raises:
        UserError: fp16 on CPU, which has no loss scaling.
    """
    check_precision(wanted, device.type)
    return precision.find_precision(wanted, device)


def autocast(name: str, device: torch.device) -> AbstractContextManager[object]:
    """The context forward passes run in, by the name of a precision."""
    dtype = precision.PRECISIONS[name]
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


def make_scaler(device: torch.device, name: str) -> torch.amp.GradScaler:
    """Scales the loss of fp16; ready at once, for a process whose share of a step is empty has no loss to scale."""
    scaler = torch.amp.GradScaler(device.type, enabled=name == "fp16")
    scaler.scale(torch.zeros((), device=device))
    return scaler
