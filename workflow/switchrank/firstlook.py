"""A first look at inner products in bfloat16, which some CPUs compute at twice the rate of float32: what can be best.

It only rules rows out, by a bound that is proven; what is left is compared in float32 as without it. For x and y
rounded to x' and y', Cauchy and Schwarz give ``|xy - x'y'| <= |x - x'| |y'| + |x| |y - y'|``. To this come the rounding
of sums, in both arithmetics, and that of the score itself to bfloat16. All of these are measured or bounded from above
(Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1), so a row whose score lies further below the
best than both errors together is not the best, nor equal to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Left = list[tuple[slice, Indices]]
"""What is left to compare: some of the queries with some rows, which rise."""

PART = 256
"""Queries whose candidates are compared together; for smaller products more CPUs sum in an order of their own."""
WIDTH = 1024
"""Rows looked at together."""
CANDIDATES = 64
"""More of them for each query than this, and the first look has not paid."""
_ROUND = np.float32(1.001 * 2.0**-8)
"""Relative error of rounding to bfloat16, eight significant bits, with room for that of computing with it."""
_TINY = np.float32(1e-30)
"""Above what is lost where a CPU takes numbers below float32's normal range for 0."""
_LARGE = 1e37
_FLIP = np.int16(0x7FFF)


@contextmanager
def first_look(rows: Iterable[Floats]) -> Iterator[FirstLook]:
    """A :class:`FirstLook` at a set in blocks, for threads of which each looks on one core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield FirstLook(rows)
    finally:
        torch.set_num_threads(threads)


class FirstLook:
    """Rules out rows of one set that are not the best for a query."""

    def __init__(self, rows: Iterable[Floats]) -> None:
        """Measure how much rounding changes ``rows``, the set in blocks."""
        measured = [[float(each.max()) for each in _rounded(block)[1:]] for block in rows]
        self._length, self._error = (max(each) for each in zip(*measured, strict=True))

    def left(
        self, queries: Floats, blocks: Sequence[Indices], rows: Callable[[Indices], Floats], known: Floats
    ) -> Left:
        """What a search for the best row of every query still has to compare.

        Args:
            blocks: numbers of the rows to be searched, rising in each block.
            rows: the rows that have these numbers.
            known: for each query a score that the best is not below, -inf where none is known.
        """
        torch.set_num_threads(1)  # for this thread
        everything = [(slice(0, len(queries)), ids) for ids in blocks]
        wide = [ids for ids in blocks if len(ids) >= PART]
        rounded, lengths, errors = _rounded(queries)
        if len(queries) < PART or not wide or not self._length * float(lengths.max()) < _LARGE:
            return everything
        terms = queries.shape[1] + 8
        margin = errors * (self._length + self._error) + lengths * (self._error + terms * 2.0**-22 * self._length)
        seen = _Seen(known, np.float32(1.001) * margin.astype(np.float32) + _TINY)
        buffer = torch.empty(len(queries) * WIDTH, dtype=torch.bfloat16)
        for ids in (block[at : at + WIDTH] for block in wide for at in range(0, len(block), WIDTH)):
            scores = buffer[: len(queries) * len(ids)].view(len(queries), len(ids))
            torch.matmul(rounded, _tensor(rows(ids)).bfloat16().T, out=scores)
            if not seen.take_in(ids, scores.view(torch.int16).numpy()):
                return everything
        return [pair for pair in everything if len(pair[1]) < PART] + list(seen.parts(wide[0][:PART]))


class _Seen:
    """The rows that may still be the best of each query, as blocks of bfloat16 scores come in, seen as int16."""

    def __init__(self, known: Floats, margin: Floats) -> None:
        self._least, self._margin = known, margin
        """What the best score in float32 is not below; how far sums in bfloat16 and float32 can be apart."""
        self._line, self._id = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        self._most = np.empty(0, dtype=np.float32)

    def take_in(self, ids: Indices, block: NDArray[np.int16]) -> bool:
        """Add a block of scores, ``(queries, len(ids))``; False where too many rows may be the best."""
        top = block.max(axis=1)
        below = np.flatnonzero(top < 0)
        top[below] = _rising(block[below]).max(axis=1)
        best = _floats(top)
        self._least = np.maximum(self._least, best - _ROUND * abs(best) - self._margin)
        lowest = self._least - self._margin
        key = _keys(lowest - np.float32(1.01) * _ROUND * abs(lowest) - _TINY)
        live = np.flatnonzero(top >= key)
        if 2 * len(live) < len(block):
            lines = block[live]
        else:
            live, lines = np.arange(len(block)), block
        below = np.flatnonzero(key[live] < 0)
        lines[below] = _rising(lines[below])
        hits = lines >= key[live, None]
        if np.count_nonzero(hits) > CANDIDATES * len(block):
            return False
        line, column = np.divmod(np.flatnonzero(hits), len(ids))
        scores, line = _floats(lines[line, column]), live[line]
        self._line, self._id = np.append(self._line, line), np.append(self._id, ids[column])
        self._most = np.append(self._most, scores + _ROUND * abs(scores) + self._margin[line])
        if len(self._line) > CANDIDATES * len(block):
            self._drop()
        return len(self._line) <= CANDIDATES * len(block)

    def _drop(self) -> None:
        """Forget what is below the best by now."""
        keep = self._most >= self._least[self._line]
        self._line, self._id, self._most = self._line[keep], self._id[keep], self._most[keep]

    def parts(self, more: Indices) -> Iterable[tuple[slice, Indices]]:
        """Queries in parts and the rows that may be the best of one of them, at least ``PART`` with some ``more``."""
        self._drop()
        count = len(self._least)
        edges = np.linspace(0, count, count // PART + 1).astype(np.int64)
        order = np.argsort(self._line, kind="stable")
        where = np.searchsorted(self._line[order], edges)
        for number in range(len(edges) - 1):
            ids = np.unique(self._id[order[where[number] : where[number + 1]]])
            if len(ids) < PART:
                ids = np.union1d(ids, more)
            for some in np.array_split(ids, max(1, len(ids) // WIDTH)):
                yield slice(*edges[number : number + 2]), some


def _rounded(rows: Floats) -> tuple[torch.Tensor, NDArray[np.float64], NDArray[np.float64]]:
    """Rows in bfloat16, the lengths of rows, and how far rounding has moved them."""
    plain, rounded = _tensor(rows), _tensor(rows).bfloat16()
    lengths, errors = (torch.linalg.vector_norm(of, dim=1) for of in (plain, rounded.float().sub_(plain)))
    return rounded, lengths.double().numpy(), errors.double().numpy()


def _tensor(rows: Floats) -> torch.Tensor:
    return torch.from_numpy(rows if rows.flags.writeable else rows.copy())


def _rising(patterns: NDArray[np.int16]) -> NDArray[np.int16]:
    """Bit patterns that rise with their numbers, as those of negative numbers do not; and back."""
    return np.where(patterns < 0, patterns ^ _FLIP, patterns)


def _floats(patterns: NDArray[np.int16]) -> Floats:
    """The numbers of rising bit patterns."""
    return (_rising(patterns).astype(np.int32) << 16).view(np.float32)


def _keys(numbers: Floats) -> NDArray[np.int16]:
    """The rising bit patterns that bfloat16 numbers which are not below these have at least."""
    return _rising((numbers.view(np.int32) >> 16).astype(np.int16))
