"""Which formats there are: every folder here that has a section. Standard library only, so that a workflow can ask.

Modules of a format are imported by name when they are needed: the code digest of a collection follows its own reader,
and no other format's code. A folder whose files are written as those of another format has no reader; ``READ_AS`` in
its ``__init__.py`` names the other's folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from switchrank.core.errors import UserError

if TYPE_CHECKING:
    from switchrank.collections.spec import CollectionSpec, Parsed

_ROOM = Path(__file__).parent
_ALSO = {"datasets": "parquet"}
"""Second names of formats."""


@cache
def folders() -> dict[str, str]:
    """The folder of each format by its name, in alphabetical order."""
    found = sorted(file.parent.name for file in _ROOM.glob("*/section.py"))
    return {folder.replace("_", "-"): folder for folder in found}


def names() -> list[str]:
    """Every name that a format goes by."""
    return sorted([*folders(), *_ALSO])


def module_of(folder: str, part: str) -> str:
    """The full name of a module of a format's folder, such as its ``reader``."""
    return f"switchrank.collections.{folder}.{part}"


def code_of(format: str) -> str:
    """The module whose digest covers how a format is read, as :func:`switchrank.core.digest.code_digest` names it."""
    folder = folders()[_ALSO.get(format, format)]
    read_as = getattr(import_module(f"switchrank.collections.{folder}"), "READ_AS", folder)
    return f"collections.{read_as}.reader"


def recognisers() -> list[str]:
    """The full names of the modules that tell how files are recognised."""
    return [module_of(file.parent.name, "recognise") for file in sorted(_ROOM.glob("*/recognise.py"))]


def check_files(spec: CollectionSpec, files: Mapping[str, str]) -> None:
    """Raise UserError unless ``files`` holds the roles that the format needs, and no others; no file is looked at."""
    _reader(spec.format).check_roles(spec, files)


def read_files(spec: CollectionSpec, files: Mapping[str, str], folder: Path) -> Parsed:
    """Read a collection from its ``files`` by role; its DOCUMENTS are written into ``folder`` on the way.

    Raises:
        UserError: an option that the format does not have, or a defect of a file.
    """
    read = _reader(spec.format).read_collection
    known = [name for name, one in signature(read).parameters.items() if one.kind is one.KEYWORD_ONLY]
    for name in spec.options:
        if name not in known:
            problem = f"not an option of the format {spec.format}"
            raise UserError("collection", f"options.{name}", problem, f"known: {', '.join(known) or 'none'}")
    parsed: Parsed = read(spec, files, folder, **spec.options)
    return parsed


def _reader(format: str) -> Any:
    return import_module(f"switchrank.{code_of(format)}")
