"""What commands write to paths of the user's: a file or folder that is there already stays, unless it is their own.

Every output is checked before a command begins. A folder holds a record of who wrote it
(:mod:`switchrank.core.ownership`); a file is a command's own if a note in
:func:`switchrank.core.cache.cache_folder` says that the same command wrote it, and it has not changed since.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from switchrank.core.atomic import atomic_path
from switchrank.core.cache import cache_folder
from switchrank.core.errors import UserError
from switchrank.core.ownership import Kind, check_folder


@contextmanager
def guarded(
    files: Iterable[str | Path], *, folder: tuple[str | Path, Kind] | None = None, command: str, overwrite: bool
) -> Iterator[None]:
    """Inside the block a command, such as ``switchrank lexicon merge``, may write these files and this kind of folder.

    What it wrote is noted at the end, even after an error. With ``overwrite`` it replaces whatever is there.

    Raises:
        UserError: an output is there and is not the command's own.
    """
    if folder:
        check_folder(*folder, overwrite=overwrite)
    outputs = [Path(file) for file in files]
    before = {file: _state(file) for file in outputs}
    for number, file in enumerate(outputs):
        if _place(file) in map(_place, outputs[:number]):
            raise UserError(file, "", "the name of two outputs", "give each a name of its own")
        _check_file(file, command, overwrite=overwrite)
    try:
        yield
    finally:
        for file in outputs:
            if _state(file) in (None, before[file]):
                continue
            with suppress(OSError, UserError), atomic_path(_note(file)) as temporary:
                temporary.write_text(json.dumps({"command": command, "state": _state(file)}), encoding="utf-8")


def _check_file(file: Path, command: str, *, overwrite: bool) -> None:
    if file.is_dir():
        raise UserError(file, "", "a folder where a file is to be written", "name a file")
    if not os.path.lexists(file) or overwrite:
        return
    try:
        note = json.loads(_note(file).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        note = {}
    if note != {"command": command, "state": _state(file)}:
        problem = f"exists already, and is not as {command} left it"
        raise UserError(file, "", problem, "name another file or move it away; --overwrite replaces it")


def _note(file: Path) -> Path:
    name = hashlib.sha256(os.fsencode(_place(file))).hexdigest()[:32]
    return cache_folder() / "written" / f"{name}.json"


def _place(file: Path) -> Path:
    return file.parent.resolve() / file.name


def _state(file: Path) -> list[int] | None:
    """What changes with every change of a file; None where there is none."""
    try:
        now = file.lstat()
    except OSError:
        return None
    return [now.st_ino, now.st_size, now.st_mtime_ns]
