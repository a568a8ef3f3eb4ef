"""Settings of a search for nearest neighbours; light enough for a config to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Criterion = Literal["nn", "csls"]
"""By what a neighbour is the nearest: :mod:`switchrank.search.criteria`."""
SEARCHED: dict[Criterion, int] = {"nn": 1, "csls": 3}
"""How often a criterion searches one set of vectors for neighbours of another: what it costs."""
SearchKind = Literal["exact", "ivf", "hnsw"]


@dataclass(frozen=True)
class Search:
    """How neighbours are looked for.

    Attributes:
        kind: ``exact`` compares everything; ``ivf`` compares a vector with those in the cells nearest to it (Jegou,
            Douze and Schmid 2011, Product quantization for nearest neighbor search, section IV.A); ``hnsw`` walks a
            graph of neighbours towards it (Malkov and Yashunin 2018, arXiv 1603.09320).
        probes: of ``ivf``: cells that a vector is compared with.
        cells: of ``ivf``: how many there are; None for the square root of eight times the vectors.
        links: of ``hnsw``: neighbours that a vector is linked to (M).
        ef_construction, ef_search: of ``hnsw``: candidates kept while the graph is built and while it is searched.
    """

    kind: SearchKind = "exact"
    probes: int = 8
    cells: int | None = None
    links: int = 32
    ef_construction: int = 40
    ef_search: int = 128

    def settings(self) -> dict[str, int | str | None]:
        """The kind, and the settings that go with it."""
        of = {"exact": (), "ivf": ("probes", "cells"), "hnsw": ("links", "ef_construction", "ef_search")}
        return {name: getattr(self, name) for name in ("kind", *of[self.kind])}


EXACT = Search()
"""The exact search; the source of every default."""
