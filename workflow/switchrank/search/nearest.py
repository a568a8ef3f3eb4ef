"""The best target vectors for source vectors under a criterion, found by FAISS as the largest inner products.

FAISS (Johnson, Douze and Jegou 2019, arXiv 1702.08734; Douze et al. 2024, arXiv 2401.08281) searches several blocks of
queries at a time, each on one core, and builds cells or a graph on one core: threads change no result.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from switchrank.search.blocks import ROUNDING, Floats, Indices, in_threads, one_core, pool
from switchrank.search.choices import EXACT, Choice, Criterion

Nearest = tuple[Floats, Indices]

BLOCK = 1024
SEED = 1
ROUNDS = 8
"""Rounds of k-means, on each of its two levels."""
ROWS_PER_CELL = 64
"""Rows for each cell that k-means looks at."""


def nearest(
    queries: Floats,
    base: Floats,
    k: int,
    *,
    prepare: Callable[[Floats], Floats] | None = None,
    search: Choice = EXACT,
    threads: int = 1,
    what: str | None = None,
) -> Nearest:
    """The ``k`` rows of ``base`` with the largest inner product with each of ``queries``.

    Args:
        base: float32 ``(n, d)``; an approximate search copies it.
        k: neighbours for each query; at most ``n`` are found.
        prepare: makes the float32 rows to search with from a block of queries.
        what: name of the progress bar; none without it.

    Returns:
        inner products (float32) and row numbers (int64), both ``(len(queries), min(k, n))``, best first, of equal ones
        the lower number first; -inf and -1 where an approximate search met too few rows.
    """
    k = min(k, len(base))

    def best(block: slice) -> Nearest:
        rows = _contiguous(queries[block])
        return _ordered(*find(prepare(rows) if prepare else rows, k))

    with one_core():
        find = _INDEX[search.search](_contiguous(base), search, threads)
        parts = in_threads(best, len(queries), size=BLOCK, threads=threads, what=what)
    scores, ids = (np.concatenate([part[of] for part in parts]) for of in (0, 1))
    return scores, ids


Find = Callable[[Floats, int], Nearest]


def _flat(base: Floats, _: Choice, __: int) -> Find:
    """All rows: the search of a flat index, without the copy of the rows that one holds."""
    return lambda block, k: faiss.knn(block, base, k, metric=faiss.METRIC_INNER_PRODUCT)


def _ivf(base: Floats, search: Choice, threads: int) -> Find:
    """Rows in cells around centres; a query is compared with those of its nearest cells."""
    rows, dimensions = base.shape
    count = min(search.cells or round((8 * rows) ** 0.5), rows)
    quantizer = faiss.IndexFlatIP(dimensions)
    quantizer.add(_centres(base, count, threads))
    index = faiss.IndexIVFFlat(quantizer, dimensions, quantizer.ntotal, faiss.METRIC_INNER_PRODUCT)
    index.nprobe = search.probes
    found = in_threads(
        lambda block: quantizer.search(base[block], 1)[1], rows, size=BLOCK, threads=threads, what="cells"
    )
    homes = np.concatenate(found)
    index.add_core(rows, faiss.swig_ptr(base), None, faiss.swig_ptr(homes))
    return index.search  # type: ignore[no-any-return]


def _centres(base: Floats, count: int, threads: int) -> Floats:
    """About ``count`` unit centres, by k-means on a seeded sample of rows: of all, then of those around each centre.

    With two levels a row is compared with twice the root of the number of centres instead of all of them.
    """
    order = np.random.default_rng(SEED).permutation(len(base))[: count * ROWS_PER_CELL]
    sample = base[np.sort(order)]
    coarse = _k_means(sample, round(count**0.5))
    home = faiss.knn(sample, coarse, 1, metric=faiss.METRIC_INNER_PRODUCT)[1][:, 0]
    around = [sample[home == centre] for centre in range(len(coarse))]
    shares = [max(1, round(count * len(rows) / len(sample))) for rows in around]
    parts = [part for part in zip(around, shares, strict=True) if len(part[0])]
    with pool(threads) as workers:
        return np.concatenate(list(workers.map(lambda part: _k_means(*part), parts)))


def _contiguous(rows: Floats) -> Floats:
    return np.ascontiguousarray(rows, dtype=np.float32)


def _k_means(rows: Floats, count: int) -> Floats:
    clustering = faiss.Kmeans(
        rows.shape[1],
        min(count, len(rows)),
        niter=ROUNDS,
        seed=SEED,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=len(rows),
    )
    clustering.train(np.ascontiguousarray(rows))
    return np.asarray(clustering.centroids)


def _hnsw(base: Floats, search: Choice, _: int) -> Find:
    """A graph of neighbours. Its links depend on the order of FAISS's threads, so only one builds it."""
    index = faiss.IndexHNSWFlat(base.shape[1], search.links, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = search.ef_construction
    index.hnsw.efSearch = search.ef_search
    index.add(base)
    return index.search  # type: ignore[no-any-return]


_INDEX: dict[str, Callable[[Floats, Choice, int], Find]] = {"exact": _flat, "ivf": _ivf, "hnsw": _hnsw}


def _ordered(scores: Floats, ids: Indices) -> Nearest:
    """Best first, of equal ones the lower number; FAISS writes -1 and the lowest float where it found too few."""
    scores = np.where(ids < 0, np.float32(-np.inf), scores)
    order = np.lexsort((ids, -scores), axis=1)
    return np.take_along_axis(scores, order, 1), np.take_along_axis(ids, order, 1)


@dataclass(frozen=True)
class Rule:
    """A criterion ``scale <x, y> - p(x) - p(y)``: the penalty ``p(rows, others, neighbours, **how)``, if any.

    As ``p(x)`` is the same for all ``y``, the best ``y`` maximise the inner product of ``(scale x, -1)`` with
    ``(y, p(y))``: one more dimension, and a plain search. The penalty of CSLS (Conneau et al. 2018, arXiv 1710.04087,
    section 2.3) is a vector's mean cosine to its nearest neighbours in the other set.
    """

    scale: float = 1.0
    penalty: Callable[..., Floats] | None = None


def mean_of_nearest(rows: Floats, others: Floats, neighbours: int, **how: Any) -> Floats:
    """The mean inner product of each row with its nearest others that were found; 0 if there are none."""
    scores, ids = nearest(rows, others, neighbours, **how)
    found = ids >= 0
    sums = np.where(found, scores, 0).sum(axis=1, dtype=np.float64)
    return np.asarray(sums / np.maximum(found.sum(axis=1), 1), dtype=np.float32)


RULES: dict[Criterion, Rule] = {
    "nn": Rule(),
    "csls": Rule(scale=2.0, penalty=mean_of_nearest),
}


class _Side(NamedTuple):
    """Some vectors, and the penalty of each, if the criterion has one."""

    rows: Floats
    penalty: Floats | None


class Matcher:
    """Finds the best of each other in two sets of vectors under a criterion.

    Args:
        source, target: float32 ``(n, d)`` and ``(m, d)``.
        neighbours: how many nearest of the other set a penalty looks at.
    """

    def __init__(
        self,
        source: Floats,
        target: Floats,
        criterion: Criterion,
        *,
        neighbours: int = 10,
        search: Choice = EXACT,
        threads: int = 1,
    ) -> None:
        self._rule, self._neighbours = RULES[criterion], neighbours
        self._search, self._threads = search, threads
        self._source = self._side(source, target, search, "source means")
        self._target = self._side(target, source, search, "target means")

    def best_targets(self, k: int = 1) -> Nearest:
        """Scores and target rows for every source row, as :func:`switchrank.search.nearest.nearest` gives them."""
        return self._best(self._source, self._target, k, "translations", self._search)

    def best_sources(self, k: int = 1) -> Nearest:
        """The same from the other side."""
        return self._best(self._target, self._source, k, "translations back", self._search)

    def mutual(self, found: Indices) -> NDArray[np.bool_]:
        """Which source rows are the best of their own best target row ``found``; both ``(n,)``."""
        back = self.best_sources()[1][:, 0]
        return np.asarray((found >= 0) & (back[found] == np.arange(len(found))))

    def exact_best(self, rows: Indices, found: Indices, pool: int) -> NDArray[np.bool_]:
        """Whether ``found`` is the best target row of some source ``rows`` by an exact search, ties aside; ``(r,)``.

        Exact penalties are computed for the candidates: what was found, and each row's ``pool`` best under the usual
        penalties.
        """
        asked = _Side(self._source.rows[rows], None)
        likely = self._best(asked, self._target, pool, "recall", EXACT)[1]
        some = np.unique(np.append(likely, found[found >= 0]))
        among = self._side(self._target.rows[some], self._source.rows, EXACT, "recall means")
        best = self._best(asked, among, 1, None, EXACT)[0][:, 0]
        place = np.searchsorted(some, np.maximum(found, some[0]))
        scores = self._rule.scale * np.einsum("ij,ij->i", asked.rows, among.rows[place], dtype=np.float64)
        if among.penalty is not None:
            scores -= among.penalty[place]
        return np.asarray((found >= 0) & (scores >= best - ROUNDING))

    def _side(self, rows: Floats, others: Floats, search: Choice, what: str) -> _Side:
        penalty = self._rule.penalty
        how: dict[str, Any] = {"search": search, "threads": self._threads, "what": what}
        return _Side(rows, None if penalty is None else penalty(rows, others, self._neighbours, **how))

    def _best(self, asked: _Side, among: _Side, k: int, what: str | None, search: Choice) -> Nearest:
        base, penalty = among

        def prepare(block: Floats) -> Floats:
            rows = block * np.float32(self._rule.scale)
            return rows if penalty is None else np.column_stack([rows, np.full(len(rows), -1, np.float32)])

        rows = base if penalty is None else np.column_stack([base, penalty])
        how: dict[str, Any] = {"search": search, "threads": self._threads, "what": what}
        scores, ids = nearest(asked.rows, rows, k, prepare=prepare, **how)
        return (scores if asked.penalty is None else scores - asked.penalty[:, None]), ids
