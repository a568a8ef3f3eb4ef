"""Settings of searches and of the fusion of rankings; light enough for a config to import."""

from dataclasses import dataclass
from typing import Literal

from switchrank.core.errors import UserError

Criterion = Literal["nn", "csls"]
"""By what a neighbour is the nearest: :mod:`switchrank.search.nearest`."""
SEARCHED: dict[Criterion, int] = {"nn": 1, "csls": 3}
"""How often a criterion searches one set of vectors for neighbours of another: what it costs."""
SearchKind = Literal["exact", "ivf", "hnsw"]
DEPTH = 1000
"""Documents of a query that a search of all documents keeps, if nothing else is said."""
FusionMethod = Literal["rrf", "isr", "log_isr", "logn_isr", "bordafuse", "sum", "mnz", "anz", "max", "med", "min"]
"""How several rankings become one: the methods of ranx, by its names, that need neither training nor weights, and are
the same every time."""


@dataclass(frozen=True)
class Choice:
    """Which target words become the translations of a source word, and how they are searched for.

    An approximate search is ``ivf`` (Jegou, Douze and Schmid 2011, Product quantization for nearest neighbor search,
    section IV.A) or ``hnsw`` (Malkov and Yashunin 2018, arXiv 1603.09320).

    Attributes:
        criterion: by what words are near; nn is cosine, csls corrects it for words that are near to many.
        k: translations a word.
        csls_k: neighbours in the CSLS correction.
        threshold: smallest score kept.
        mutual: keep only pairs that are each other's best, so one translation a word at most.
        max_source: only this many most frequent source words.
        max_target: only this many most frequent target words.
        raw_dot: compatibility: rank by the inner product of vectors of their original lengths, as the published
            lexicons did; goes with nn.
        search: ivf, hnsw: approximate, recall measured on a sample; a few translations are not the best ones.
        probes: ivf: cells a word is compared with.
        cells: ivf: cells of target words (default: root of eight times as many).
        links: hnsw: neighbours a word is linked to (M).
        ef_construction: hnsw: candidates while the graph is built.
        ef_search: hnsw: candidates while it is searched.
    """

    criterion: Criterion = "csls"
    k: int = 1
    csls_k: int = 10
    threshold: float | None = None
    mutual: bool = False
    max_source: int | None = None
    max_target: int | None = None
    raw_dot: bool = False
    search: SearchKind = "exact"
    probes: int = 8
    cells: int | None = None
    links: int = 32
    ef_construction: int = 40
    ef_search: int = 128

    def __post_init__(self) -> None:
        if self.raw_dot and self.criterion != "nn":
            raise UserError(
                "lexicon", "raw_dot", f"has no meaning with criterion {self.criterion!r}", "write criterion: nn"
            )
        if self.raw_dot and self.search != "exact":
            raise UserError("lexicon", "raw_dot", f"has no meaning with search {self.search!r}", "write search: exact")

    def settings(self) -> dict[str, int | str | None]:
        """The kind of search, and the settings that go with it."""
        of = {"exact": (), "ivf": ("probes", "cells"), "hnsw": ("links", "ef_construction", "ef_search")}
        return {"kind": self.search} | {name: getattr(self, name) for name in of[self.search]}


EXACT = Choice()
"""The exact search; the source of every default."""
