"""Which GPU a job uses: one that no other job of ours on this machine holds, or the CPU where none is asked for."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from switchrank.errors import NoGpuError, UserError

_SHARED = "/tmp"


@contextmanager
def gpu_for_job(wanted: int) -> Iterator[str]:
    """Yield ``cpu`` when ``wanted`` is 0, else ``cuda:<n>`` of a visible GPU, held by a file lock inside the block.

    GPUs are told apart by their UUID, so that jobs which a scheduler shows different GPUs under one number do not wait
    for each other.

    Raises:
        NoGpuError: no GPU is visible, or every visible one is held by another job.
    """
    if not wanted:
        yield "cpu"
        return
    import torch

    visible = torch.cuda.device_count() if torch.cuda.is_available() else 0
    number, lock = hold_first([str(torch.cuda.get_device_properties(n).uuid) for n in range(visible)])
    with lock:
        yield f"cuda:{number}"


def hold_first(names: Sequence[str], folder: str | Path | None = None) -> tuple[int, IO[str]]:
    """Lock the first of ``names`` that nobody holds; the lock lasts until the file is closed or the process ends.

    Args:
        names: what tells the GPUs of this machine apart.
        folder: where the lock files are; by default one that all users of the machine share, whatever their TMPDIR.

    Raises:
        NoGpuError: no names, or all are held.
        UserError: a lock file cannot be opened.
    """
    place = Path(folder or _SHARED)
    for number, name in enumerate(names):
        path = place / f"switchrank-gpu-{name}.lock"
        try:
            lock = os.fdopen(_open_lock(path), "r+", encoding="utf-8")
        except OSError as error:
            raise UserError(path, "", f"cannot be opened: {error.strerror}", "remove it") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            return number, lock
    problem = f"all {len(names)} visible GPUs are held by other jobs" if names else "no GPU is visible"
    raise NoGpuError("device", "cuda", problem, "allow fewer GPU jobs at once: --resources gpu=N, 0 for the CPU")


def _open_lock(path: Path) -> int:
    """Open a lock file that users of the machine share; never what a link of somebody else points to.

    It is made only where it is not there: in a sticky folder Linux lets nobody open another user's file "to create it".
    """
    flags = os.O_RDWR | os.O_NOFOLLOW
    with suppress(FileNotFoundError):
        return os.open(path, flags)
    try:
        made = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:  # by another job, just now
        return os.open(path, flags)
    os.fchmod(made, 0o666)  # whatever our umask
    return made
