"""How alike a system ranks the same documents for the same queries when they are asked in two languages.

- RankC: Qi, Fernández and Bisazza 2023, arXiv 2310.10378 (Betswish/Cross-Lingual-Consistency, 1_easyrun/RankC.py,
  softmax weights), applied to documents. It looks at the first ranks above all, and at common documents alone.
- Spearman's rank correlation, whose mean over queries and pairs of languages is the MRC of Yang, Jiang and Baldwin
  2024, arXiv 2509.06195. All ranks count alike, and so does what one ranking has and the other lacks.
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Numbers = NDArray[np.integer]
Agreement = Callable[[Numbers, Numbers, Numbers], tuple[NDArray[np.float64], Numbers]]
"""A measure of two rankings, such as :func:`rank_correlation`, for many queries at once."""


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
    w_j the softmax over (N, N-1, ..., 1), proportional to exp(-(j - 1)). A document is in both top_j exactly from its
    worse rank m on; it adds ``sum_{j = m..N} w_j / j``, one look-up in a table of tail sums.

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


def rank_correlation(first: Numbers, second: Numbers, owner: Numbers) -> tuple[NDArray[np.float64], Numbers]:
    """Spearman's rank correlation of two rankings, for many queries at once.

    Over the documents that either ranking has. Those that a ranking lacks are ranked after its last one and tie: each
    has the mean of the ranks that are left, as ``scipy.stats.spearmanr`` ranks ties. So two lists that are cut off
    correlate by what they share and by what they do not; lists without a common document correlate negatively.

    Args:
        first, second: places of documents, integers of shape ``(documents,)``: distinct and from 1 (best) without
            gaps within a query, 0 where the ranking does not have the document.
        owner: number of the query of each document, from 0, shape ``(documents,)``.

    Returns:
        Values from -1 to 1, and the numbers of the queries they belong to: those with a candidate in both rankings, and
        more than one in all.
    """
    kept = (first > 0) | (second > 0)
    owner = owner[kept]
    sizes = np.bincount(owner)
    (x, in_first), (y, in_second) = (_deviations(places[kept], owner, sizes) for places in (first, second))
    products, squares, others = (np.bincount(owner, weights=part) for part in (x * y, x * x, y * y))
    queries = np.flatnonzero((in_first > 0) & (in_second > 0) & (sizes > 1))
    values = products[queries] / np.sqrt(squares[queries] * others[queries])
    return np.clip(values, -1.0, 1.0), queries


def _deviations(places: Numbers, owner: Numbers, sizes: Numbers) -> tuple[NDArray[np.float64], Numbers]:
    """By how much the rank of each document, mean ranks for those without a place, differs from the mean rank of its
    query; and how many documents of each query have a place."""
    there = places > 0
    counts = np.bincount(owner[there], minlength=len(sizes))
    left = (counts + 1 + sizes) / 2
    return np.where(there, places, left[owner]) - (sizes[owner] + 1) / 2, counts


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

    def compared(self, agreement: Agreement) -> dict[tuple[str, str], NDArray[np.float64]]:
        """``agreement`` of every pair of languages in the order they were added: a value for each query that has
        one."""
        size = len(self._index)
        owner = self._index["qid"].rank("dense").cast(pl.Int64).to_numpy() - 1
        full = {language: np.pad(places, (0, size - len(places))) for language, places in self._places.items()}
        return {pair: agreement(full[pair[0]], full[pair[1]], owner)[0] for pair in combinations(full, 2)}
