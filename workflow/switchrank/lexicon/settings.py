"""Settings of a search for translations, and which go together; free of heavy imports."""

from __future__ import annotations

from dataclasses import dataclass

from switchrank.core.errors import UserError
from switchrank.search.choices import EXACT, Criterion, Search, SearchKind


@dataclass(frozen=True)
class Choice:
    """Which target words become the translations of a source word, and how they are looked for.

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
    search: SearchKind = EXACT.kind
    probes: int = EXACT.probes
    cells: int | None = EXACT.cells
    links: int = EXACT.links
    ef_construction: int = EXACT.ef_construction
    ef_search: int = EXACT.ef_search

    @property
    def how(self) -> Search:
        return Search(self.search, self.probes, self.cells, self.links, self.ef_construction, self.ef_search)


USUAL = Choice()


def check_search(*, criterion: str, search: str, raw_dot: bool) -> None:
    """Raise UserError if ``raw_dot`` is asked for with a criterion or search that takes unit vectors."""
    if raw_dot and criterion != "nn":
        raise UserError("lexicon", "raw_dot", f"has no meaning with criterion {criterion!r}", "write criterion: nn")
    if raw_dot and search != "exact":
        raise UserError("lexicon", "raw_dot", f"has no meaning with search {search!r}", "write search: exact")
