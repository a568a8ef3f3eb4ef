"""Which function reads which format. A format of whole records is one line here and one in the shapes' ``RECORDS``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from switchrank.sources import afriqa, bipar, joined, open_questions, pairs, separate, squad
from switchrank.sources.shapes import SEPARATE
from switchrank.sources.spec import CollectionSpec
from switchrank.sources.tables import Parsed

Reader = Callable[[CollectionSpec, Mapping[str, str], Path], Parsed]
"""Takes the checked specification, the files by role and the folder that DOCUMENTS tables are written into."""


def _with_options(read: Callable[..., Parsed]) -> Reader:
    """A reader that takes the collection's options as keyword arguments."""
    return lambda spec, files, folder: read(spec, files, folder, **spec.options)


def _questions(spec: CollectionSpec, files: Mapping[str, str], folder: Path) -> Parsed:
    def write(language: str, _: Path) -> int:
        return separate.write_documents(spec, files, language, spec.options["documents"], folder).rows

    return open_questions.read_collection(spec, files, folder, write_documents=write)


READERS: dict[str, Reader] = {
    **dict.fromkeys(SEPARATE, separate.read_collection),
    "pairs": pairs.read_collection,
    "squad": _with_options(squad.read_collection),
    "bipar": _with_options(bipar.read_collection),
    "afriqa": _with_options(afriqa.read_collection),
    "questions": _questions,
    "joined": joined.read_collection,
}
