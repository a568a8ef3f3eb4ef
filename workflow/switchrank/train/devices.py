"""Where the arithmetic happens: CPU or GPU, its precision, and the switches that make it repeatable."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch

from switchrank import precision
from switchrank.errors import NoGpuError, UserError


def find_device(name: str) -> torch.device:
    """``cpu``, ``cuda`` or ``cuda:<n>``.

    Raises:
        NoGpuError: a GPU is demanded and none is visible (exit code 75).
        UserError: another name.
    """
    if name.split(":")[0] not in {"cpu", "cuda"}:
        raise UserError("device", name, "unknown device", "write cpu or cuda")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise NoGpuError("device", name, "no GPU is visible", "run on a machine with one, or set the GPU resource to 0")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise UserError("device", name, "unknown device", "write cpu, cuda or cuda:N") from error


def find_devices(names: str, processes: int) -> list[torch.device]:
    """The device of each process.

    Args:
        names: ``cpu`` or ``cuda`` for all (the first GPUs), or one for each, separated by commas.
        processes: how many there are.

    Raises:
        NoGpuError: there are fewer GPUs than processes that need one.
        UserError: another name, or not one for each.
    """
    if processes < 1:
        raise UserError("train settings", "processes", f"{processes} is not a whole number of at least 1", "write one")
    given = names.split(",")
    if len(given) == 1 and processes > 1:
        given = [f"cuda:{number}" for number in range(processes)] if names == "cuda" else given * processes
    places = [find_device(name) for name in given]
    gpus = [place for place in places if place.type == "cuda"]
    if len(places) != processes or len({str(place) for place in gpus}) != len(gpus) or 0 < len(gpus) < processes:
        problem = f"not a device of its own for each of {processes} processes"
        raise UserError("device", names, problem, "write cpu, cuda, or as many as there are processes")
    visible = torch.cuda.device_count() if gpus else 0
    if any((place.index or 0) >= visible for place in gpus):
        what = f"{processes} processes need a GPU each" if processes > 1 else "there is no such GPU"
        problem = f"{what}, and {visible} are visible"
        raise NoGpuError("device", names, problem, "ask for fewer, or run where there are as many")
    return places


def describe_device(device: torch.device) -> str:
    """``cpu``, or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def find_precision(wanted: str, device: torch.device) -> str:
    """``auto`` resolved (:func:`switchrank.precision.find_precision`).

    Raises:
        UserError: fp16 on CPU, which has no loss scaling.
    """
    if wanted == "fp16" and device.type == "cpu":
        raise UserError("train settings", "precision", "fp16 needs a GPU", "write fp32 or bf16")
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
    before = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads(), filling.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    filling.fill_uninitialized_memory = False  # a tenth of the time on CPU, and no result depends on it
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.set_num_threads(before[1])
        filling.fill_uninitialized_memory = before[2]


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy's global generator and torch (all devices)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 -- libraries draw from the global generator
    torch.manual_seed(seed)
