"""The machine: the rate of its matrix products, cores, and room on its disks."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from switchrank.core.errors import UserError

GPU_TFLOPS = 120.0
"""Assumed of a GPU that is not here: half precision matrix products of a common server GPU, in TFLOP/s."""
_SLOWEST = 1.0
_PROBE = """
import time
import numpy
square = numpy.ones((512, 512), dtype=numpy.float32)
square @ square
best, end = 0.0, time.perf_counter() + {seconds}
while time.perf_counter() < end:
    began = time.process_time()
    for _ in range(4):
        square @ square
    best = max(best, 4 * 2 * 512**3 / max(1e-9, time.process_time() - began))
print(best / 1e9)
"""


@dataclass(frozen=True)
class Machine:
    """A machine: GFLOP/s of one core, cores, TFLOP/s of a GPU, how many GPUs.

    ``bf16`` tells whether its CPUs have units for bf16; None: if this one's have them.
    """

    gflops: float
    cores: int
    gpu_tflops: float = GPU_TFLOPS
    gpus: int = 1
    bf16: bool | None = None

    @property
    def computes_bf16(self) -> bool:
        """Whether its CPUs compute in bf16; torch, which knows it of the one here, is imported only when asked."""
        return _computes_bf16() if self.bf16 is None else self.bf16


@cache
def _computes_bf16() -> bool:
    import torch

    from switchrank.core.precision import has_bf16

    return has_bf16(torch.device("cpu"))[0]


def measure_gflops(seconds: float = 0.8) -> float:
    """The rate of float32 matrix products on one core, in GFLOP/s.

    A process of its own measures it with one thread and by processor time, so that other work does not count.
    """
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-c", _PROBE.format(seconds=seconds)]
    done = subprocess.run(command, env=os.environ | one, capture_output=True, text=True, check=False)
    try:
        return max(_SLOWEST, float(done.stdout))
    except ValueError as error:
        raise UserError("plan", "machine", "its speed cannot be measured", "give it with --gflops") from error


def nearest_folder(path: str | Path) -> Path:
    """The nearest existing folder, links followed: it is on the disk where the path is or will be."""
    place = Path(path).resolve()
    while not place.is_dir():
        place = place.parent
    return place


def size_on_disk(path: str | Path) -> int:
    """Bytes of a file, or of all files in a folder; FileNotFoundError if it is not there."""
    path = Path(path)
    if not path.is_dir():
        return path.stat().st_size
    return sum(part.stat().st_size for part in path.rglob("*") if part.is_file())


def free_bytes(folder: str | Path) -> int:
    """Free space on the disk that a folder is on, or will be."""
    return shutil.disk_usage(nearest_folder(folder)).free
