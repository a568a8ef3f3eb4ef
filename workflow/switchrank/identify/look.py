"""The one question: what is at this path?"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from switchrank.collections.formats import recognisers
from switchrank.core.errors import UserError
from switchrank.identify import archives, columnar, lexicons, others, vectors, weights
from switchrank.identify.entries import filled
from switchrank.identify.found import Found, shorten
from switchrank.identify.kinds import FolderKind, Kind, counted
from switchrank.identify.source import Source

_BINARY: tuple[Callable[[Source], Found | None], ...] = (
    columnar.inspect,
    weights.inspect,
    vectors.inspect,
    archives.inspect_tar,
)
"""What is told by its first bytes."""
REASONS = {"safetensors": "weights alone: give the folder they are in as start.model"}
"""Why what is told by its first bytes has no config entry."""


@cache
def _modules() -> list[Any]:
    """Everything that declares kinds: what formats of collections recognise, and the rest."""
    return [*map(import_module, recognisers()), lexicons, others, vectors]


@cache
def entries() -> dict[str, str]:
    """Config entries of what is told by its first bytes, and of special folders, by format."""
    found = {"model-folder": "start:\n  model: $path\n"}
    for module in _modules():
        found |= getattr(module, "ENTRIES", {})
    return found


@cache
def kinds() -> list[Kind]:
    """Every kind of file, the surest first."""
    declared = (kind for module in _modules() for kind in getattr(module, "KINDS", ()))
    return sorted(declared, key=lambda kind: kind.sure)


@cache
def folder_kinds() -> list[FolderKind]:
    """Every kind of folder."""
    return [kind for module in _modules() for kind in getattr(module, "FOLDERS", ())]


def with_entry(found: Found, path: Path, entry: str, why: str) -> Found:
    """``found`` with the YAML that reads it, or a note that says why there is none."""
    if entry:
        found.entry = filled(entry, found, str(path))
    elif why:
        found.notes.append(why)
    return found


def inspect_path(path: str | Path, *, quick: bool = False, what: str | None = None) -> Found:
    """What a file or folder is, with the config entry that reads it.

    Args:
        path: the file or folder, whatever it is called.
        quick: read the first megabytes only, and estimate the numbers.
        what: name of a progress bar; none is shown without it.

    Raises:
        UserError: it is missing, unreadable, or of no format that is known.
    """
    from switchrank.identify.folders import inspect_folder

    path = Path(path)
    return inspect_folder(path, quick=quick, what=what) if path.is_dir() else inspect_file(path, quick=quick, what=what)


def inspect_file(path: Path, *, quick: bool = False, what: str | None = None) -> Found:
    """What a file is; arguments and errors as of :func:`inspect_path`."""
    if not path.is_file():
        problem = "not a file" if path.exists() else "no such file"
        raise UserError(path, "", problem, "correct the path")
    if not path.stat().st_size:
        raise UserError(path, "", "empty", "fetch or make the file again")
    try:
        packed = archives.inspect_packed(path)
    except OSError as error:
        raise UserError(path, "", f"cannot be read ({error.strerror})", "correct the path or its rights") from error
    if packed:
        return packed
    source = Source(path, quick=quick, what=what)
    for look in _BINARY:
        if found := look(source):
            return with_entry(found, path, entries().get(found.format, ""), REASONS.get(found.format, ""))
    for kind in kinds() if source.is_text else ():
        if kind.fits(source):
            return with_entry(counted(kind, source), path, kind.entry, kind.why)
    told = "text" if source.is_text else "bytes"
    start = shorten(source.head[:40] if source.is_text else source.head[:8].hex(" "))
    problem = source.damage or f"{told} of no format that is known, starting with {start!r}"
    raise UserError(source.path, "", problem, "see switchrank inspect --help for the formats that are known")
