"""Locks that end with their holder, however that ends (``flock``): of folders that are written, and of runs.

A killed Snakemake leaves its own locks in ``.snakemake/locks`` and refuses to start again until ``--unlock``. Whoever
holds our lock of a run knows that no other process makes it, so that Snakemake's is stale.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from switchrank.core.errors import UserError

_TRIES = 5


@contextmanager
def hold_folder(folder: str | Path) -> Iterator[bool | None]:
    """Hold the lock of a folder inside the block.

    Yields True where it is held, False where another process holds it, None without a folder or locks of that kind.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield None
        return
    try:
        yield _taken(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _taken(descriptor: int, kind: int) -> bool | None:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def hold_run(run: str, folder: str | Path) -> IO[str] | None:
    """Take the lock of ``run`` in Snakemake's ``folder`` (``.snakemake``) and remove Snakemake's stale locks of it.

    Returns the open lock file: the lock is held until it is closed or the process ends. None where the file system has
    no such locks; Snakemake's own then stay as they are.

    Raises:
        UserError: another process holds it, or the results or the folder cannot be written.
    """
    path, results = _lock_path(run, folder), Path("results", run)
    if results.exists() and not os.access(results, os.W_OK):
        raise UserError(results, "", "cannot be written", "make it writable, or run in another folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise UserError(path, "", f"cannot be written ({error.strerror})", "make its folder writable") from error
    for _ in range(_TRIES):  # is_held has the lock for a moment: that is waited for
        taken = _taken(file.fileno(), fcntl.LOCK_EX)
        if taken is not False:
            break
        time.sleep(0.05)
    if not taken:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        if taken is None:
            return None
        problem = f"another Snakemake makes this run (process {holder})"
        raise UserError(f"results/{run}", "", problem, "wait until it ends, or end it")
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    _clear_stale(run, Path(folder))
    return file


def is_held(run: str, folder: str | Path) -> bool:
    """Whether a process holds the lock of ``run``."""
    path = _lock_path(run, folder)
    if not path.exists():
        return False
    with path.open("rb") as file:
        return _taken(file.fileno(), fcntl.LOCK_SH) is False


def _lock_path(run: str, folder: str | Path) -> Path:
    return Path(folder) / "switchrank" / f"{run}.lock"


def _clear_stale(run: str, folder: Path) -> None:
    """Remove the lock files that name files of ``run`` and of no other run that is being made."""
    for lock in sorted(folder.glob("locks/*.lock")):
        lines = lock.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        runs = {line.split("/")[1] for line in lines if line.startswith("results/") and line.count("/") > 1}
        if run in runs and not any(is_held(other, folder) for other in runs - {run}):
            lock.unlink(missing_ok=True)
