"""Which function reads which format. A format of whole records is one line here and one in the shapes' ``RECORDS``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from switchrank.sources import joined, pairs, separate, squad
from switchrank.sources.shapes import SEPARATE
from switchrank.sources.spec import CollectionSpec
from switchrank.sources.tables import Parsed

Reader = Callable[[CollectionSpec, Mapping[str, str], Path], Parsed]
"""Takes the checked specification, the files by role and the folder that DOCUMENTS tables are written into."""

READERS: dict[str, Reader] = {
    **dict.fromkeys(SEPARATE, separate.read_collection),
    "pairs": pairs.read_collection,
    "squad": squad.read_collection,
    "joined": joined.read_collection,
}
