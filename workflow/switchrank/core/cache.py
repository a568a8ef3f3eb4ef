"""The cache folder of this machine's user, safe to delete: what can be made or fetched again, shared by all runs.

Machine code is kept there too: ranx's functions take numba a quarter of a minute to compile and a third of a second to
load. By itself numba keeps them in the installation, which may be read-only.
"""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_PATIENCE = 300
"""Seconds that a process waits for another one to compile; then both do, which costs time only."""


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder that the environment variable SWITCHRANK_CACHE names, else ``~/.cache/switchrank``."""
    return Path(environment.get("SWITCHRANK_CACHE") or "~/.cache/switchrank").expanduser()


@contextmanager
def compiled_code() -> Iterator[Path]:
    """Keep what numba compiles: import it and call it first inside the block, in one process at a time.

    Yields the folder: NUMBA_CACHE_DIR where that is set, else ``numba/`` in :func:`cache_folder`. If that cannot
    be written, it is a folder of this process alone, and a line on stderr says so.
    """
    folder = _writable_folder(Path(os.environ.get("NUMBA_CACHE_DIR") or cache_folder() / "numba"))
    import numba
    from filelock import FileLock, Timeout

    # numba reads the variable when it is imported, which somebody else may have done.
    config: Any = numba.config
    config.CACHE_DIR = str(folder)
    lock = FileLock(folder / ".lock")
    with suppress(Timeout, NotImplementedError, OSError):  # after that time, or without locks, it goes on all the same
        lock.acquire(timeout=_PATIENCE, poll_interval=0.1)
    try:
        yield folder
    finally:
        lock.release()


def _writable_folder(wanted: Path) -> Path:
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=wanted).close()
        return wanted
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="switchrank-numba-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        problem = "cannot be written, so metrics are compiled again, which takes a quarter of a minute"
        print(f"{wanted}: {problem}: set SWITCHRANK_CACHE to a folder that can", file=sys.stderr)
        return folder
