"""RankC: whether a query ranks the same documents alike in whichever language it is asked.

Qi, Fernández and Bisazza 2023, arXiv 2310.10378 (Betswish/Cross-Lingual-Consistency, 1_easyrun/RankC.py, softmax
weights), applied to rankings of documents (METHODS 2.7).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Numbers = NDArray[np.integer]


def _among(places: Numbers, owner: Numbers, kept: NDArray[np.bool_]) -> Numbers:
    """Places counted anew, from 1 within each query, among the kept documents only."""
    if kept.all():  # the usual case, candidates being the same for every query language, spares the sort
        return places
    owner = owner[kept]
    order = np.lexsort((places[kept], owner))
    sizes = np.bincount(owner)
    starts = np.cumsum(sizes) - sizes
    among = np.empty(len(owner), dtype=np.int64)
    among[order] = np.arange(len(owner)) - starts[owner[order]] + 1
    return among


def rankc(
    first: Numbers, second: Numbers, owner: Numbers, depth: int | None = None
) -> tuple[NDArray[np.float64], Numbers]:
    r"""RankC of two rankings of the same documents, for many queries at once.

    With N candidates that both rankings have, ``RankC = sum_j w_j |top_j(first) & top_j(second)| / j`` over j = 1..N,
    w the softmax over (N, N-1, ..., 1), so w_j is proportional to exp(-(j - 1)) and the first ranks decide. A document
    is in both top_j exactly from its worse rank m on; it adds ``sum_{j = m..N} w_j / j``, one look-up in a table of
    tail sums. No set is built and no exponent is positive.

    Args:
        first, second: places of documents, integers of shape ``(documents,)``: distinct and from 1 (best) without
            gaps within a query, 0 where the ranking does not have the document.
        owner: number of the query of each document, from 0, shape ``(documents,)``.
        depth: N is at most this.

    Returns:
        Values from above 0 to 1, and the numbers of the queries they belong to: those with a common candidate.
    """
    kept = (first > 0) & (second > 0)
    worse = np.maximum(_among(first, owner, kept), _among(second, owner, kept))
    owner = owner[kept]
    sizes = np.bincount(owner)
    limits = sizes if depth is None else np.minimum(sizes, depth)
    weights = np.exp(-np.arange(float(limits.max(initial=0))))
    tails = np.append(np.cumsum((weights / np.arange(1, len(weights) + 1))[::-1])[::-1], 0.0)
    inside = worse <= limits[owner]
    worse, owner = worse[inside], owner[inside]
    sums = np.bincount(owner, weights=tails[worse - 1] - tails[limits[owner]], minlength=len(sizes))
    queries = np.flatnonzero(sizes)
    return sums[queries] / np.cumsum(weights)[limits[queries] - 1], queries


class Rankings:
    """The rankings of one system for the same queries in several languages, four bytes per ranked document."""

    def __init__(self) -> None:
        self._index = pl.DataFrame(schema={"qid": pl.String, "docid": pl.String, "row": pl.Int64})
        self._places: dict[str, Numbers] = {}

    def add(self, language: str, ranked: pl.DataFrame) -> None:
        """Keep the places (columns ``qid docid place``, from 1) of the queries in ``language``."""
        new = ranked.join(self._index, on=["qid", "docid"], how="anti", maintain_order="left").select("qid", "docid")
        rows = pl.int_range(len(self._index), len(self._index) + len(new), eager=True)
        self._index = pl.concat([self._index, new.with_columns(row=rows)])
        found = ranked.join(self._index, on=["qid", "docid"], how="left", maintain_order="left")
        places = np.zeros(len(self._index), dtype=np.int32)
        places[found["row"].to_numpy()] = found["place"].to_numpy()
        self._places[language] = places

    def consistency(self, depth: int | None = None) -> dict[tuple[str, str], NDArray[np.float64]]:
        """RankC of every pair of languages (in the order they were added), one value per query with a common candidate.

        Args:
            depth: as for :func:`rankc`.
        """
        size = len(self._index)
        owner = self._index["qid"].rank("dense").cast(pl.Int64).to_numpy() - 1
        full = {language: np.pad(places, (0, size - len(places))) for language, places in self._places.items()}
        return {pair: rankc(full[pair[0]], full[pair[1]], owner, depth)[0] for pair in combinations(full, 2)}
