"""Outputs appear whole or not at all: written beside their final name, flushed to disk, then moved into place."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from switchrank.errors import UserError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_IN_WORDS = re.compile(r"\(os error (\d+)\)|\d+ requested and \d+ written")
_PAUSES = (0.01, 0.1, 1.0)
"""Seconds to wait before a temporary folder is removed once more."""


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_full(error: Exception) -> bool:
    """Whether a write found no room; libraries that are not written in Python say so in words."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    found = None if isinstance(error, UserError) else _IN_WORDS.search(str(error))
    return found is not None and (found[1] is None or int(found[1]) in _FULL)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A temporary folder beside ``path``, removed in the end.

    A writer of another thread may still open a file in it after an error: Polars' sinks end a little later than the
    exception that ends them.

    Raises:
        UserError: the disk is full.
    """
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}.", dir=path.parent))
    try:
        yield folder
    except Exception as error:
        if _is_full(error):
            raise UserError(path, "", "the disk is full", "make room, or choose another folder") from error
        raise
    finally:
        for pause in _PAUSES:
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break
            time.sleep(pause)


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path``; on success it replaces ``path``, on error it is removed.

    The temporary name keeps all suffixes of ``path``, so writers that choose a format by suffix work unchanged.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _beside(path) as folder:
        temporary = folder / path.name
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside ``path``; on success it becomes ``path`` (an older one is replaced)."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _beside(path) as folder:
        temporary = folder / "new"
        temporary.mkdir()
        yield temporary
        for file in sorted(p for p in temporary.rglob("*") if p.is_file()):
            _flush(file)
        if path.exists():
            os.replace(path, folder / "old")
        os.replace(temporary, path)
