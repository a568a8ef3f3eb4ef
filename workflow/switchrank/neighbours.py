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

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from switchrank.best import Best
from switchrank.progress import progress

if TYPE_CHECKING:
    from switchrank.firstlook import FirstLook

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Nearest = tuple[Floats, Indices]
Pairs = list[tuple[Indices, Indices]]
"""Rising row numbers of both sides that are compared, all of the one with all of the other; no two rows meet twice."""
Criterion = Literal["nn", "csls"]

Group = tuple[Indices, list[Indices]]
"""Queries, and the blocks of rows they have to see."""

BLOCK = 2048
WORTH = 5e11
"""Multiplications that make up for loading torch; threads do not count, so that they change no result."""
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

    def rows(self, which: Indices) -> Floats:
        """Some rows (rising numbers), scaled, as contiguous float32."""
        gapless = bool((np.diff(which) == 1).all())  # then a slice needs no copy
        rows = self.matrix[slice(which[0], which[-1] + 1)] if gapless else self.matrix[which]
        rows = np.ascontiguousarray(rows, dtype=np.float32)
        return rows if self.scale is None else rows * self.scale[which, None]


def blocks(length: int) -> list[slice]:
    """Slices of at most ``BLOCK`` rows."""
    return [slice(start, min(start + BLOCK, length)) for start in range(0, length, BLOCK)]


def in_threads(work: Callable[[Any], object], items: Iterable[tuple[Any, int]], threads: int, what: str) -> None:
    """Call ``work`` on items in a number of threads, each with matrix products on one core.

    Args:
        items: each with its number of rows, which the progress bar counts.
    """
    sizes = list(items)
    with (
        threadpool_limits(1, user_api="blas"),
        ThreadPoolExecutor(threads) as pool,
        progress(total=sum(size for _, size in sizes), what=what, unit="words") as bar,
    ):
        jobs = {pool.submit(work, item): size for item, size in sizes}
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
    queries: Side,
    base: Side,
    k: int,
    *,
    double: bool = False,
    threads: int = 1,
    pairs: Pairs | None = None,
    what: str = "neighbours",
) -> Nearest:
    """The ``k`` best rows of ``base`` for every row of ``queries``.

    The score of (x, y) is the inner product of the scaled rows (twice that if ``double``) minus both penalties.

    Args:
        k: neighbours per query; at most ``len(base)`` are found.
        pairs: rows of ``queries`` and ``base`` to compare, for an approximate search; all where not given.
        what: name of the progress bar.

    Returns:
        scores (float32) and row numbers in ``base`` (int64), both ``(len(queries), min(k, len(base)))``, best first,
        ties by lower row number; -inf and 0 where a query met too few rows.
    """
    best = Best(len(queries), min(k, len(base)))

    def left(which: Indices) -> Floats:
        rows = queries.rows(which)
        if double:
            rows = rows * np.float32(2)
        return rows if base.penalty is None else _with_column(rows, -1.0)

    def right(ids: Indices) -> Floats:
        rows = base.rows(ids)
        return rows if base.penalty is None else _with_column(rows, base.penalty[ids])

    def work(group: tuple[Indices, Sequence[Indices]]) -> None:
        which, others = group
        products, rows = _Products(), left(which)
        everything = [(slice(0, len(which)), ids) for ids in others]
        for part, ids in look.left(rows, others, right, best.worst(which)) if look else everything:
            best.offer(which[part], ids, products(rows[part], right(ids)))

    groups = list(_plan(best, queries, base, double) if pairs is None else _split(pairs))
    looking = _first_look(groups, queries.matrix.shape[1], right, k) if pairs is None else nullcontext()
    with looking as look:
        in_threads(work, ((group, len(group[0])) for group in groups), threads, what)
    scores = best.scores
    if queries.penalty is not None:
        scores -= queries.penalty[:, None]
    return scores, best.ids


def _first_look(
    groups: list[Group], dimensions: int, right: Callable[[Indices], Floats], k: int
) -> AbstractContextManager[FirstLook | None]:
    """A first look in bfloat16, where it takes less time than the rest.

    What it leaves is compared in float32, in products of another shape: where the CPU's sums depend on that, scores
    may differ in their last bits, and so may the choice between words that are equal but for these.
    """
    pairs = sum(len(which) * sum(map(len, others)) for which, others in groups)
    if k > 1 or pairs * dimensions < WORTH or not _computes_in_bfloat16():
        return nullcontext()
    try:
        from switchrank.firstlook import first_look
    except ImportError:
        return nullcontext()
    print("first look in bf16, since this CPU has it; what may be best is compared in fp32 as ever", file=sys.stderr)
    widest = max((others for _, others in groups), key=lambda others: sum(map(len, others)))
    return first_look(right(ids) for ids in widest)


def _computes_in_bfloat16() -> bool:
    """What Linux says of the CPU; torch knows too, but takes a second to load."""
    try:
        known = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(unit in known for unit in ("avx512_bf16", "amx_bf16"))


def _split(pairs: Pairs) -> Iterator[Group]:
    """Pairs in blocks."""
    for left, right in pairs:
        for block in blocks(len(left)):
            yield left[block], [right[other] for other in blocks(len(right))]


def _plan(best: Best, queries: Side, base: Side, double: bool) -> Iterator[Group]:
    """Blocks of queries, and for each the blocks of ``base`` it has to see: all; or those that can beat what is known.

    Neighbours by cosine that are known come first. A row that is not among them has a cosine of at most their lowest,
    so only rows are left whose penalty is low enough to beat, with that cosine, the k-th best score of the known.
    """
    everything = np.arange(len(base))
    if queries.nearest is None or base.penalty is None or not double or queries.nearest[0].shape[1] < best.k:
        for block in blocks(len(queries)):
            yield np.arange(block.start, block.stop), [everything[other] for other in blocks(len(base))]
        return
    cosines, ids = queries.nearest
    best.start(2 * cosines - base.penalty[ids], ids)
    limit = 2 * cosines[:, -1] - best.scores[:, -1] + ROUNDING
    order = np.argsort(base.penalty, kind="stable")
    reach = np.searchsorted(base.penalty[order], limit, side="right")
    farthest_first = np.argsort(-reach, kind="stable")
    for block in blocks(len(queries)):
        which = np.sort(farthest_first[block])
        yield which, [np.sort(order[other]) for other in blocks(int(reach[which].max()))]


def nearest_both(
    left: Floats, right: Floats, k: int, *, threads: int = 1, pairs: Pairs | None = None, what: str = "CSLS"
) -> tuple[Nearest, Nearest]:
    """The ``k`` nearest rows of the other side for each row of ``left`` and each of ``right``, in one pass.

    Returns:
        for each side inner products and row numbers, as :func:`top_k` gives them.
    """
    of_left, of_right = Best(len(left), min(k, len(right))), Best(len(right), min(k, len(left)))
    ours, theirs = Side(left), Side(right)

    def work(group: tuple[Indices, Sequence[Indices]]) -> None:
        ids, others = group
        products, rows = _Products(), theirs.rows(ids)
        for numbers in others:
            scores = products(ours.rows(numbers), rows)
            of_left.offer(numbers, ids, scores)
            of_right.offer(ids, numbers, scores.T)

    everything = [(np.arange(len(right)), np.arange(len(left)))]
    groups = _split(everything if pairs is None else _turned(pairs))
    in_threads(work, ((group, len(group[0])) for group in groups), threads, what)
    return (of_left.scores, of_left.ids), (of_right.scores, of_right.ids)


def _turned(pairs: Pairs) -> Pairs:
    return [(right, left) for left, right in pairs]


def sides(
    source: Floats,
    target: Floats,
    criterion: Criterion,
    csls_k: int,
    *,
    threads: int = 1,
    pairs: Pairs | None = None,
) -> tuple[Side, Side, bool]:
    """The two sets prepared for :func:`top_k` under a criterion (in either direction), and its ``double``.

    Args:
        pairs: source and target rows to compare; the means of CSLS are then over the nearest of these.
    """
    if criterion == "nn":
        return Side(source), Side(target), False
    nearest = nearest_both(source, target, csls_k, threads=threads, pairs=pairs)
    left, right = (
        Side(matrix, penalty=_means(known[0]), nearest=known if pairs is None else None)
        for matrix, known in zip((source, target), nearest, strict=True)
    )
    return left, right, True


def _means(scores: Floats) -> Floats:
    """The mean of each row over what was found; 0 where nothing was."""
    found = np.isfinite(scores)
    sums = np.where(found, scores, 0).sum(axis=1, dtype=np.float64)
    return np.asarray(sums / np.maximum(found.sum(axis=1), 1), dtype=np.float32)


def mutual_best(
    source: Side,
    target: Side,
    double: bool,
    forward: Indices | None = None,
    *,
    threads: int = 1,
    pairs: Pairs | None = None,
) -> NDArray[np.bool_]:
    """Which source rows are the best of their own best target row; bool ``(len(source),)``.

    Args:
        forward: best target row of every source row, where it is known already.
        pairs: source and target rows to compare; all where not given.
    """
    if forward is None:
        found = top_k(source, target, 1, double=double, threads=threads, pairs=pairs, what="best target words")
        forward = found[1][:, 0]
    back = _turned(pairs) if pairs is not None else None
    backward = top_k(target, source, 1, double=double, threads=threads, pairs=back, what="best source words")[1][:, 0]
    return np.asarray(backward[forward] == np.arange(len(source)))
