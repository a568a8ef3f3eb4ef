"""Which function reads which format.

The modules of a format are named in :data:`switchrank.sources.shapes.READ_BY` and imported here by name when needed:
the code digest of a collection follows them, and no other format's code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from switchrank.sources.shapes import READ_BY
from switchrank.sources.spec import CollectionSpec
from switchrank.sources.tables import Parsed

Reader = Callable[[CollectionSpec, Mapping[str, str], Path], Parsed]
"""Takes the checked specification, the files by role and the folder that DOCUMENTS tables are written into."""
_WITH_OPTIONS = ("squad", "bipar", "afriqa")
"""Formats whose readers take the collection's options as keyword arguments."""


def reader_of(format: str) -> Reader:
    """The reader of a format."""
    modules = [import_module(f"switchrank.{name}") for name in READ_BY[format]]
    read = modules[0].read_collection

    def with_options(spec: CollectionSpec, files: Mapping[str, str], folder: Path) -> Parsed:
        parsed: Parsed = read(spec, files, folder, **spec.options)
        return parsed

    def with_documents(spec: CollectionSpec, files: Mapping[str, str], folder: Path) -> Parsed:
        def write(language: str, _: Path) -> int:
            rows: int = modules[1].write_documents(spec, files, language, spec.options["documents"], folder).rows
            return rows

        parsed: Parsed = read(spec, files, folder, write_documents=write)
        return parsed

    if format == "questions":
        return with_documents
    found: Reader = with_options if format in _WITH_OPTIONS else read
    return found
