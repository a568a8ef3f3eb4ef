"""Exact nearest neighbours between two sets of word vectors, by cosine (``nn``) or CSLS.

CSLS (Conneau, Lample, Ranzato, Denoyer and Jegou 2018, arXiv 1710.04087, section 2.3) is ``2 cos(x, y) - r(x) - r(y)``,
where ``r`` is a vector's mean cosine to its nearest neighbours in the other set. As ``r(x)`` is constant for a query,
the best ``y`` maximise the inner product of ``(2x, -1)`` with ``(y, r(y))``. Both sets are visited in blocks, whose
scores are looked at while they are in the cache; no score matrix is ever built. A thread works on a block alone, with
matrix products on one core, so the number of threads changes no result.

One pass finds the means of both sets, and the nearest rows too, which bound what is left to find: a ``y`` that is not
among them has a cosine no higher than theirs, so it can only win by a mean that is low enough.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from switchrank.best import Best
from switchrank.progress import progress

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Nearest = tuple[Floats, Indices]
Criterion = Literal["nn", "csls"]

BLOCK = 2048
ROUNDING = np.float32(1e-5)
"""More than the error of a score in float32; scores of unit vectors are between -4 and 4."""


@dataclass(frozen=True)
class Side:
    """One set of vectors: ``matrix`` float32 ``(n, d)``, and what its rows' scores are scaled by and reduced by.

    ``scale`` (``(n,)`` or None for 1) multiplies inner products; ``penalty`` (``(n,)`` or None for 0) is subtracted.
    ``nearest``, where known: inner products and row numbers of the nearest rows of the other side, each
    ``(n, neighbours)``, nearest first.
    """

    matrix: Floats
    scale: Floats | None = None
    penalty: Floats | None = None
    nearest: Nearest | None = None

    def __len__(self) -> int:
        return len(self.matrix)

    def rows(self, which: slice | Indices) -> Floats:
        """Some rows, scaled, as contiguous float32."""
        rows = np.ascontiguousarray(self.matrix[which], dtype=np.float32)
        return rows if self.scale is None else rows * self.scale[which, None]


def blocks(length: int) -> list[slice]:
    """Slices of at most ``BLOCK`` rows."""
    return [slice(start, min(start + BLOCK, length)) for start in range(0, length, BLOCK)]


def in_threads(work: Callable[[slice], object], length: int, threads: int, what: str) -> None:
    """Call ``work`` on the blocks of so many rows in a number of threads, each with matrix products on one core."""
    with (
        threadpool_limits(1, user_api="blas"),
        ThreadPoolExecutor(threads) as pool,
        progress(total=length, what=what, unit="words") as bar,
    ):
        jobs = {pool.submit(work, block): block.stop - block.start for block in blocks(length)}
        try:
            for job in as_completed(jobs):
                job.result()
                bar.update(jobs[job])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


class _Products:
    """Matrix products of two blocks into one buffer that is used again."""

    def __init__(self) -> None:
        self._buffer = np.empty(BLOCK * BLOCK, dtype=np.float32)

    def __call__(self, left: Floats, right: Floats) -> Floats:
        out = self._buffer[: len(left) * len(right)].reshape(len(left), len(right))
        return np.matmul(left, right.T, out=out)


def _with_column(rows: Floats, column: Floats | float) -> Floats:
    wider = np.empty((len(rows), rows.shape[1] + 1), dtype=np.float32)
    wider[:, :-1] = rows
    wider[:, -1] = column
    return wider


def top_k(
    queries: Side, base: Side, k: int, *, double: bool = False, threads: int = 1, what: str = "neighbours"
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
    best = Best(len(queries), min(k, len(base)))
    plan = _plan(best, queries, base, double)

    def work(block: slice) -> None:
        which, products = np.sort(plan.queries[block]), _Products()
        left = queries.rows(_run(which)) * np.float32(2 if double else 1)
        if base.penalty is not None:
            left = _with_column(left, -1.0)
        for other in blocks(int(plan.reach[block].max())):
            ids = np.sort(plan.base[other])
            right = base.rows(_run(ids))
            if base.penalty is not None:
                right = _with_column(right, base.penalty[ids])
            best.offer(which, ids, products(left, right))

    in_threads(work, len(queries), threads, what)
    scores = best.scores
    if queries.penalty is not None:
        scores -= queries.penalty[:, None]
    return scores, best.ids


@dataclass(frozen=True)
class _Plan:
    """Orders to visit the rows of both sides in, and how many of ``base``'s each query has to see."""

    queries: Indices
    base: Indices
    reach: Indices


def _plan(best: Best, queries: Side, base: Side, double: bool) -> _Plan:
    """Everything in order; or, where neighbours by cosine are known, those first and then what can still beat them.

    A row that is not among the known has a cosine of at most their lowest. So only rows are left whose penalty is low
    enough to beat, with that cosine, the k-th best score of the known.
    """
    if queries.nearest is None or base.penalty is None or not double or queries.nearest[0].shape[1] < best.k:
        return _Plan(np.arange(len(queries)), np.arange(len(base)), np.full(len(queries), len(base)))
    cosines, ids = queries.nearest
    best.start(2 * cosines - base.penalty[ids], ids)
    limit = 2 * cosines[:, -1] - best.scores[:, -1] + ROUNDING
    order = np.argsort(base.penalty, kind="stable")
    reach = np.searchsorted(base.penalty[order], limit, side="right")
    longest_first = np.argsort(-reach, kind="stable")
    return _Plan(longest_first, order, reach[longest_first])


def _run(rows: Indices) -> slice | Indices:
    """Rising row numbers without a gap as a slice, which needs no copy."""
    gapless = bool((np.diff(rows) == 1).all())
    return slice(int(rows[0]), int(rows[-1]) + 1) if gapless else rows


def nearest_both(left: Side, right: Side, k: int, *, threads: int = 1, what: str = "CSLS") -> tuple[Nearest, Nearest]:
    """The ``k`` nearest rows of the other side for each row of ``left`` and each of ``right``, in one pass.

    Returns:
        for each side inner products and row numbers, as :func:`top_k` gives them.
    """
    of_left, of_right = Best(len(left), min(k, len(right))), Best(len(right), min(k, len(left)))

    def work(block: slice) -> None:
        products, rows, ids = _Products(), right.rows(block), np.arange(block.start, block.stop)
        for other in blocks(len(left)):
            scores = products(left.rows(other), rows)
            numbers = np.arange(other.start, other.stop)
            of_left.offer(numbers, ids, scores)
            of_right.offer(ids, numbers, scores.T)

    in_threads(work, len(right), threads, what)
    return (of_left.scores, of_left.ids), (of_right.scores, of_right.ids)


def sides(
    source: Floats, target: Floats, criterion: Criterion, csls_k: int, threads: int = 1
) -> tuple[Side, Side, bool]:
    """The two sets prepared for :func:`top_k` under a criterion (in either direction), and its ``double``."""
    if criterion == "nn":
        return Side(source), Side(target), False
    nearest = nearest_both(Side(source), Side(target), csls_k, threads=threads)
    left, right = (
        Side(matrix, penalty=known[0].mean(axis=1, dtype=np.float64).astype(np.float32), nearest=known)
        for matrix, known in zip((source, target), nearest, strict=True)
    )
    return left, right, True


def mutual_best(
    source: Side, target: Side, double: bool, forward: Indices | None = None, threads: int = 1
) -> NDArray[np.bool_]:
    """Which source rows are the best of their own best target row; bool ``(len(source),)``.

    Args:
        forward: best target row of every source row, where it is known already.
    """
    if forward is None:
        forward = top_k(source, target, 1, double=double, threads=threads, what="best target words")[1][:, 0]
    backward = top_k(target, source, 1, double=double, threads=threads, what="best source words")[1][:, 0]
    return np.asarray(backward[forward] == np.arange(len(source)))
