"""The k best of each of many rows, kept while blocks of scores come in; a block is read about once and never sorted.

Only scores above a row's k-th best so far are looked at further: after the first block these are few. The first block's
own bound is the k-th largest of the maxima of groups of its columns, which its k-th largest score cannot be below.
A score and its id make one 64-bit key, a larger one for a higher score or, at equal scores, a lower id.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Keys = NDArray[np.uint64]

GROUPS = 64
_SIGN, _LOW = np.uint32(1 << 31), np.uint64(0xFFFF_FFFF)


def _keys(scores: Floats, ids: Indices) -> Keys:
    """Keys above 0 of scores and of ids below 2 ** 32 - 1."""
    bits = (scores + np.float32(0)).view(np.uint32)  # 0 for -0, which is equal
    rising = np.where(bits & _SIGN, ~bits, bits | _SIGN).astype(np.uint64)
    return (rising << np.uint64(32)) | (_LOW - ids.astype(np.uint64))


def _scores(keys: Keys) -> Floats:
    """The scores in keys; -inf in the key 0."""
    rising = (keys >> np.uint64(32)).astype(np.uint32)
    scores = np.where(rising & _SIGN, rising ^ _SIGN, ~rising).view(np.float32)
    return np.where(keys == 0, np.float32(-np.inf), scores)


class Best:
    """The ``k`` best of each of a number of rows. Threads may offer blocks at the same time."""

    def __init__(self, rows: int, k: int) -> None:
        self.k = k
        self._best: Keys = np.zeros((rows, k), dtype=np.uint64)  # rising
        self._again = False
        self._lock = threading.Lock()

    @property
    def scores(self) -> Floats:
        """float32 ``(rows, k)``, best first; -inf where nothing was offered."""
        return _scores(self._best[:, ::-1])

    @property
    def ids(self) -> Indices:
        """int64 ``(rows, k)``, best first, of equal scores the lower id first; 0 where nothing was offered."""
        best = self._best[:, ::-1]
        return np.where(best == 0, 0, (_LOW - (best & _LOW)).astype(np.int64))

    def worst(self, rows: Indices) -> Floats:
        """The k-th best score of some rows so far, -inf where fewer were offered."""
        return _scores(self._best[rows, 0])

    def start(self, scores: Floats, ids: Indices) -> None:
        """Begin with scores and ids, each ``(rows, at least k)``. Those offered again keep the score of here."""
        self._best = np.sort(_keys(scores, ids), axis=1)[:, -self.k :]
        self._again = True

    def offer(self, rows: Indices, ids: Indices, block: Floats) -> None:
        """Take in the scores of some rows with some ids, ``block`` ``(len(rows), len(ids))`` in either memory order.

        Both rise; an id comes once to a row.
        """
        worst = self._best[rows, 0]
        bound = _scores(worst)
        if self.k == 1:
            column = block.argmax(axis=1)
            line = np.flatnonzero(_at(block, column) >= bound)
            column = column[line]
        else:
            new = worst == 0
            if new.any():
                bound[new] = _bound(block, self.k)[new]
            line, column = _from(block, bound)
        keys = _keys(block[line, column], ids[column])
        better = keys > worst[line]
        if self._again:
            known = _LOW - (self._best[rows[line]] & _LOW)
            better &= (known != ids[column, None].astype(np.uint64)).all(axis=1)
        if better.any():
            with self._lock:
                self._take_in(rows[line[better]], keys[better])

    def _take_in(self, rows: Indices, keys: Keys) -> None:
        """Merge candidates, sorted by row."""
        which, first, counts = np.unique(rows, return_index=True, return_counts=True)
        merged = np.zeros((len(which), self.k + counts.max()), dtype=np.uint64)
        merged[:, : self.k] = self._best[which]
        place = np.arange(self.k, self.k + len(rows)) - np.repeat(first, counts)
        merged[np.repeat(np.arange(len(which)), counts), place] = keys
        merged.sort(axis=1)
        self._best[which] = merged[:, -self.k :]


def _at(block: Floats, column: Indices) -> Floats:
    return block[np.arange(len(block)), column]


def _bound(block: Floats, k: int) -> Floats:
    """A value for each row that its k-th largest score is not below."""
    height, width = block.shape
    if width < k:
        return np.full(height, -np.inf, dtype=np.float32)
    depth = width // GROUPS
    if k > GROUPS or depth < 2:
        return np.partition(block, width - k, axis=1)[:, width - k]
    if block.flags.c_contiguous:
        tops = block[:, : depth * GROUPS].reshape(height, depth, GROUPS).max(axis=1)
    else:
        tops = block.T[: depth * GROUPS].reshape(depth, GROUPS, height).max(axis=0).T
    return np.partition(tops, GROUPS - k, axis=1)[:, GROUPS - k]


def _from(block: Floats, bound: Floats) -> tuple[Indices, Indices]:
    """Where a block reaches its rows' bounds: rows and columns, sorted by row."""
    if not block.flags.c_contiguous:
        column, line = np.divmod(np.flatnonzero(bound <= block.T), block.shape[0])
        order = np.argsort(line, kind="stable")
        return line[order], column[order]
    live = np.flatnonzero(_at(block, block.argmax(axis=1)) >= bound)
    if 2 * len(live) < len(block):  # finding the rows' maxima takes a quarter of the time of comparing everything
        line, column = np.divmod(np.flatnonzero(block[live] >= bound[live, None]), block.shape[1])
        return live[line], column
    return np.divmod(np.flatnonzero(block >= bound[:, None]), block.shape[1])
