"""What the machine can do: its matrix product rate, its memory bandwidth, its name, and the commit that ran on it."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.clock import least_seconds


def threads() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gemm_rate(size: int = 3072, dtype: str = "float32", rounds: int = 5) -> float:
    """Floating-point operations a second of a square matrix product, all threads: the better of numpy and torch."""
    import torch

    torch.set_num_threads(threads())
    left = torch.randn(size, size).to(getattr(torch, dtype))
    right = torch.randn(size, size).to(getattr(torch, dtype))
    best = least_seconds(lambda: left @ right, rounds)
    if dtype == "float32":
        a, b = left.numpy(), right.numpy()
        best = min(best, least_seconds(lambda: a @ b, rounds))
    return 2 * size**3 / best


def memory_bandwidth(megabytes: int = 512, rounds: int = 5) -> float:
    """Bytes a second of a copy by one thread, reading and writing counted."""
    source = np.ones(megabytes << 17)
    target = np.empty_like(source)
    return 2 * source.nbytes / least_seconds(lambda: np.copyto(target, source), rounds)


def package_version(name: str) -> str:
    """The installed version of a package."""
    return version(name)


def description() -> dict[str, Any]:
    """The fields ``commit``, ``cpu`` and ``threads`` of every record."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return {"commit": commit.stdout.strip() or "unknown", "cpu": _cpu(), "threads": threads()}


def is_amd() -> bool:
    """Is this one of the CPUs on which MKL, with which stock torch multiplies, is slow?"""
    return "AMD" in _cpu()


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict((part.strip() for part in line.split(":", 1)) for line in lines if ":" in line)
    flags = set(facts.get("flags", "").split())
    units = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_tile") if flag in flags]
    return " ".join([facts.get("model name", platform.machine()), *units])
