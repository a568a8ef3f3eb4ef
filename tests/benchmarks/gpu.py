"""What a GPU can do, and how busy a call keeps it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress

from tests.benchmarks.clock import least_seconds


def gpu_gemm_rate(device: str = "cuda", size: int = 8192, rounds: int = 10) -> float:
    """Floating-point operations a second of a square bf16 matrix product."""
    import torch

    size = size if device != "cpu" else 256
    left = torch.randn(size, size, device=device).bfloat16()

    def product() -> None:
        left @ left
        _wait(device)

    _wait(device)
    return 2 * size**3 / least_seconds(product, rounds)


def _wait(device: str) -> None:
    import torch

    if device != "cpu":
        torch.cuda.synchronize(device)


def busy(work: Callable[[], object], device: str = "cuda") -> str:
    """The GPU's mean utilisation over a call, by nvidia-smi, in words."""
    program = shutil.which("nvidia-smi")
    if program is None or device == "cpu":
        work()
        return "utilisation of the GPU not measured (no nvidia-smi)"
    command = [program, "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--loop-ms=100", "--id=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sampler:
        work()
        sampler.terminate()
        lines = (sampler.stdout.read() if sampler.stdout else "").split()
    samples = []
    for line in lines:
        with suppress(ValueError):
            samples.append(float(line))
    mean = sum(samples) / max(1, len(samples))
    return f"GPU busy {mean:.0f}% of the time over the run ({len(samples)} samples)"
