"""One Snakemake process makes a run at a time: a lock that dies with its holder, and what dead holders left behind.

Snakemake writes the files it locks into ``.snakemake/locks`` and leaves them there when it is killed, so that the next
start refuses to work until ``--unlock``. A file lock (``flock``) is freed by the kernel however its holder ends: who
gets it knows that no other process makes this run, and that Snakemake's lock of this run is stale.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import IO

from switchrank.core.errors import UserError

_TRIES = 5


def hold_run(run: str, folder: str | Path) -> IO[str] | None:
    """Take the lock of ``run`` and remove Snakemake's stale locks of it.

    Args:
        run: name of the run.
        folder: Snakemake's own folder, ``.snakemake``.

    Returns:
        The open lock file: the lock is held until it is closed or the process ends. None where the file system has no
        such locks; Snakemake's own then stay as they are.

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
    try:
        _take(file)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        problem = f"another Snakemake makes this run (process {holder})"
        raise UserError(f"results/{run}", "", problem, "wait until it ends, or end it") from error
    except OSError:
        file.close()
        return None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    _clear_stale(run, Path(folder))
    return file


def _take(file: IO[str]) -> None:
    """Lock the file. Who only looks (:func:`is_held`) has the lock for a moment: that is waited for."""
    for left in reversed(range(_TRIES)):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not left:
                raise
            time.sleep(0.05)


def is_held(run: str, folder: str | Path) -> bool:
    """Whether a process holds the lock of ``run``."""
    path = _lock_path(run, folder)
    if not path.exists():
        return False
    with path.open("r", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lock_path(run: str, folder: str | Path) -> Path:
    return Path(folder) / "switchrank" / f"{run}.lock"


def _clear_stale(run: str, folder: Path) -> None:
    """Remove the lock files that name files of ``run`` and of no other run that is being made."""
    for lock in sorted(folder.glob("locks/*.lock")):
        lines = lock.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        runs = {line.split("/")[1] for line in lines if line.startswith("results/") and line.count("/") > 1}
        if run in runs and not any(is_held(other, folder) for other in runs - {run}):
            lock.unlink(missing_ok=True)
