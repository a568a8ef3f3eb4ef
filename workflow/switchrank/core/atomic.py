"""Outputs appear whole or not at all: written beside their final name, flushed to disk, then moved into place.

A writer holds the lock of its temporary folder, which the kernel frees however it ends. So what a killed writer leaves
is removed by the next writer of the same output on that machine.
"""

import errno
import glob
import hashlib
import os
import platform
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from switchrank.core.errors import UserError
from switchrank.core.locks import hold_folder
from switchrank.core.ownership import Kind, check_folder, record_folder

_FULL = ("the disk is full", "make room, or choose another folder")
_READ_ONLY = ("the disk is read-only", "make it writable, or choose another folder")
_MOUNTED = ("a mount point, or in use", "name a folder inside it")
_CAUSES = {errno.EBUSY: _MOUNTED, errno.ENOSPC: _FULL, errno.EDQUOT: _FULL, errno.EFBIG: _FULL, errno.EROFS: _READ_ONLY}
_IN_WORDS = re.compile(r"\(os error (\d+)\)|\d+ requested and \d+ written")
_PAUSES = (0.01, 0.1, 1.0)
"""Seconds to wait before a temporary folder is removed once more."""
_MARK = f".unfinished-{hashlib.sha256(platform.node().encode()).hexdigest()[:6]}-"
"""Stands between the name of an output and the letters that make its temporary folder unique. It tells machines apart:
on some file systems of clusters, locks hold on one machine only."""


def _usual_mode(scratch: Path) -> int:
    """The mode of new files, by umask and folder; safetensors makes its files readable by their owner only."""
    probe = scratch / ".mode"
    probe.touch()
    return stat.S_IMODE(probe.stat().st_mode)


def _finish(path: Path, mode: int) -> None:
    """Give a file its mode and flush it to disk; what a link leads to is left as it is."""
    if not path.is_symlink():
        path.chmod(mode)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _cause(error: Exception) -> tuple[str, str] | None:
    """What is wrong with the disk and what to do; libraries not written in Python say so in words only."""
    if isinstance(error, OSError) and error.errno in _CAUSES:
        return _CAUSES[error.errno]
    found = None if isinstance(error, UserError) else _IN_WORDS.search(str(error))
    if found is None:
        return None
    return _CAUSES.get(int(found[1])) if found[1] else _FULL


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside ``path``, removed in the end; those that killed writers of ``path`` left there are too.

    Raises:
        UserError: nothing can be written there; the disk is full or read-only.
    """
    mark = f".{path.name[:40]}{_MARK}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in sorted(path.parent.glob(f"{glob.escape(mark)}????????")):
            with hold_folder(left) as held:
                if held:
                    shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=mark, dir=path.parent))
    except OSError as error:
        problem, todo = _cause(error) or (f"cannot be written ({error.strerror})", "make its folder writable")
        raise UserError(path, "", problem, todo) from error
    try:
        with hold_folder(folder):
            yield folder
    except Exception as error:
        cause = _cause(error)
        if cause:
            raise UserError(path, "", *cause) from error
        raise
    finally:
        for pause in _PAUSES:  # after an error Polars' sinks, in threads of their own, may still open a file
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
    with scratch_folder(path) as folder:
        temporary = folder / path.name
        yield temporary
        _finish(temporary, _usual_mode(folder))
        os.replace(temporary, path)


@contextmanager
def atomic_folder(path: str | Path, kind: Kind | None, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty temporary folder beside ``path``; on success it becomes ``path``, which may be a link to a folder.

    An older folder is replaced where a writer of the same ``kind`` made all that it holds, with ``overwrite`` whatever
    it holds. One inside a folder that is ours has no kind (None) and is replaced unchecked.

    Raises:
        UserError: see :func:`switchrank.core.ownership.check_folder`; the disk is full or read-only.
    """
    path = Path(path)
    if kind:
        check_folder(path, kind, overwrite=overwrite)
        path = path.resolve() if path.is_symlink() else path
    with scratch_folder(path) as folder:
        temporary = folder / "new"
        temporary.mkdir()
        yield temporary
        if kind:
            record_folder(temporary, kind)
            check_folder(path, kind, overwrite=overwrite)
        mode = _usual_mode(folder)
        for file in filter(Path.is_file, temporary.rglob("*")):
            _finish(file, mode)
        old = folder / "old"
        if path.exists():
            os.replace(path, old)
        try:
            os.replace(temporary, path)
        except OSError:
            if old.exists():
                os.replace(old, path)
            raise
