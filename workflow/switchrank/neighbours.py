"""Exact nearest neighbours between two sets of word vectors, by cosine (``nn``) or CSLS, with FAISS.

CSLS (Conneau, Lample, Ranzato, Denoyer and Jegou 2018, arXiv 1710.04087, section 2.3) is ``2 cos(x, y) - r(x) - r(y)``,
where ``r`` is a vector's mean cosine to its nearest neighbours in the other set. As ``r(x)`` is constant for a query,
the best ``y`` maximise the inner product of ``(2x, -1)`` with ``(y, r(y))``: one more dimension keeps the search exact
and inside FAISS, and no score matrix is ever built. Both sets are visited in blocks, so memory does not grow with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import faiss
import numpy as np
from numpy.typing import NDArray

from switchrank.progress import progress

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Criterion = Literal["nn", "csls"]

BLOCK = 16_384
SPARE = 4
"""Neighbours fetched beyond k, so that ties at the k-th place are seen and broken by lower index."""


@contextmanager
def faiss_threads(threads: int) -> Iterator[None]:
    """Pin FAISS to a number of threads inside the block."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


@dataclass(frozen=True)
class Side:
    """One set of vectors: ``matrix`` float32 ``(n, d)``, and what its rows' scores are scaled by and reduced by.

    ``scale`` (``(n,)`` or None for 1) multiplies inner products; ``penalty`` (``(n,)`` or None for 0) is subtracted.
    """

    matrix: Floats
    scale: Floats | None = None
    penalty: Floats | None = None

    def __len__(self) -> int:
        return len(self.matrix)

    def rows(self, start: int, stop: int) -> Floats:
        """Rows ``start:stop``, scaled, as contiguous float32."""
        rows = np.ascontiguousarray(self.matrix[start:stop], dtype=np.float32)
        return rows if self.scale is None else rows * self.scale[start:stop, None]


def _with_column(rows: Floats, column: Floats | float) -> Floats:
    wider = np.empty((len(rows), rows.shape[1] + 1), dtype=np.float32)
    wider[:, :-1] = rows
    wider[:, -1] = column
    return wider


def _sorted_cut(scores: Floats, ids: Indices, k: int) -> tuple[Floats, Indices]:
    """Best ``k`` of each row by falling score, ties by rising index."""
    order = np.lexsort((ids, -scores), axis=1)[:, :k]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(ids, order, axis=1)


def _untie(queries: Floats, base: Floats, scores: Floats, ids: Indices, k: int) -> None:
    """Redo, in place, the rows whose ties may reach beyond what was fetched."""
    if scores.shape[1] <= k or len(base) <= scores.shape[1]:
        return
    for row in np.flatnonzero(scores[:, k - 1] == scores[:, -1]):
        every = base @ queries[row]
        ids[row] = np.argsort(-every, kind="stable")[: ids.shape[1]]
        scores[row] = every[ids[row]]


def top_k(
    queries: Side, base: Side, k: int, *, double: bool = False, what: str = "neighbours"
) -> tuple[Floats, Indices]:
    """The ``k`` best rows of ``base`` for every row of ``queries``.

    The score of (x, y) is the inner product of the scaled rows (twice that if ``double``) minus both penalties.

    Args:
        k: neighbours per query; at most ``len(base)`` are found.
        what: name of the progress bar.

    Returns:
        scores (float32) and row numbers in ``base`` (int64), both ``(len(queries), min(k, len(base)))``, best first,
        ties by lower row number.
    """
    k = min(k, len(base))
    scores = np.empty((len(queries), k), dtype=np.float32)
    ids = np.empty((len(queries), k), dtype=np.int64)
    with progress(total=len(queries), what=what, unit="words") as bar:
        for start in range(0, len(queries), BLOCK):
            stop = min(start + BLOCK, len(queries))
            block = queries.rows(start, stop) * np.float32(2 if double else 1)
            if base.penalty is not None:
                block = _with_column(block, -1.0)
            scores[start:stop], ids[start:stop] = _top_k_block(block, base, k)
            bar.update(stop - start)
    if queries.penalty is not None:
        scores -= queries.penalty[:, None]
    return scores, ids


def _top_k_block(block: Floats, base: Side, k: int) -> tuple[Floats, Indices]:
    best: list[tuple[Floats, Indices]] = []
    for start in range(0, len(base), BLOCK):
        stop = min(start + BLOCK, len(base))
        rows = base.rows(start, stop)
        if base.penalty is not None:
            rows = _with_column(rows, base.penalty[start:stop])
        scores, ids = faiss.knn(block, rows, min(k + SPARE, len(rows)), metric=faiss.METRIC_INNER_PRODUCT)
        _untie(block, rows, scores, ids, k)
        scores, ids = _sorted_cut(scores, ids, k)
        best.append((scores, ids + start))
        if len(best) == 2:
            joined = (np.hstack([best[0][0], best[1][0]]), np.hstack([best[0][1], best[1][1]]))
            best = [_sorted_cut(*joined, k)]
    return best[0]


def mean_cosine(queries: Floats, base: Floats, k: int, *, what: str = "mean cosine") -> Floats:
    """CSLS's ``r``: the mean inner product of each row of ``queries`` with its ``k`` nearest rows of ``base``."""
    scores, _ = top_k(Side(queries), Side(base), k, what=what)
    return np.asarray(scores.mean(axis=1, dtype=np.float64), dtype=np.float32)


def sides(source: Floats, target: Floats, criterion: Criterion, csls_k: int) -> tuple[Side, Side, bool]:
    """The two sets prepared for :func:`top_k` under a criterion (in either direction), and its ``double``."""
    if criterion == "nn":
        return Side(source), Side(target), False
    source_mean = mean_cosine(source, target, csls_k, what="CSLS: source words")
    target_mean = mean_cosine(target, source, csls_k, what="CSLS: target words")
    return Side(source, penalty=source_mean), Side(target, penalty=target_mean), True


def mutual_best(source: Side, target: Side, double: bool, forward: Indices | None = None) -> NDArray[np.bool_]:
    """Which source rows are the best of their own best target row; bool ``(len(source),)``.

    Args:
        forward: best target row of every source row, where it is known already.
    """
    if forward is None:
        forward = top_k(source, target, 1, double=double, what="best target words")[1][:, 0]
    backward = top_k(target, source, 1, double=double, what="best source words")[1][:, 0]
    return np.asarray(backward[forward] == np.arange(len(source)))
