"""Which folders a writer may replace: those that hold nothing but what a writer of the same kind put there.

A folder that is written as a whole holds a record of itself, ``.switchrank.json``: the kind of its writer, and the
SHA-256 of every file. Whatever is not in the record was put there, or changed, by somebody else.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from switchrank.core.digest import file_digest
from switchrank.core.errors import UserError

RECORD = ".switchrank.json"
Kind = Literal[
    "a collection",
    "a made-up world",
    "a parallel text",
    "texts of one language",
    "an exported test set",
    "an unpacked archive",
    "a token table",
    "a tokenizer",
    "a starting model",
    "a finished model",
    "a transplanted model",
    "an extended model",
    "a trained model",
    "an imported model",
    "joined tables",
    "a search index",
]
_LITTER = frozenset({RECORD, ".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that may be lost; file managers leave some of them."""
_FOREIGN = "which switchrank did not write there"


def record_folder(folder: Path, kind: Kind) -> None:
    """Write the record of a finished folder into it."""
    files = {file.relative_to(folder).as_posix(): file_digest(file) for file in sorted(_files(folder))}
    told = json.dumps({"made": kind, "files": files}, indent=1, sort_keys=True)
    (folder / RECORD).write_text(told + "\n", encoding="utf-8")


def check_folder(path: str | Path, kind: Kind, *, overwrite: bool = False) -> None:
    """Check that a folder may be written at ``path``: there is none, an empty one, or an older one of the same kind.

    ``path`` may be a link to it. With ``overwrite`` a folder there may hold anything.

    Raises:
        UserError: something would be lost; a file is there; or it is the working directory or a folder around it.
    """
    place = Path(path).resolve()
    if place in {Path.cwd(), *Path.cwd().parents}:
        raise UserError(path, "", "the working directory, or a folder around it", "name a folder of its own")
    if place.exists() and not place.is_dir():
        raise UserError(path, "", "a file where a folder is to be written", "name a folder")
    problem = None if overwrite or not place.exists() else _foreign(place, kind)
    if problem:
        raise UserError(path, "", problem, "name another folder or move it away; --overwrite replaces the folder")


def _foreign(folder: Path, kind: Kind) -> str | None:
    """Why a folder is not the older work of a writer of this kind; None if it is, or holds nothing."""
    there = sorted(_files(folder))
    if not there:
        return None
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        made, files = str(record["made"]), dict(record["files"])
    except (OSError, ValueError, LookupError, TypeError):
        return f"holds {there[0].relative_to(folder)}, {_FOREIGN}"
    if made != kind:
        return f"holds {made}, not {kind}"
    for file in there:
        name = file.relative_to(folder).as_posix()
        if name not in files:
            return f"holds {name}, {_FOREIGN}"
        if file.is_symlink() or file_digest(file) != files[name]:
            return f"{name} in it has changed since switchrank wrote it"
    return None


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if (file.is_symlink() or not file.is_dir()) and file.name not in _LITTER)
