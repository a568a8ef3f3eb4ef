"""The pieces of many texts end to end, in memory or in a file that is mapped and not kept in memory."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from switchrank.core.ragged import Numbers
from switchrank.corpus.arrow import arrow_numbers

_PIECE_BYTES = 4
_KEPT = 1 << 28
"""Bytes of a file that may stay resident; a larger one is read a window at a time, whose pages are then let go."""
_WINDOW = 1 << 27


class PieceStore:
    """Rows of piece numbers, to Arrow strings of bytes, which it gathers a row at a time.

    Args:
        pieces: all rows end to end (uint32), or a map of a file that holds them.
        lengths: of the rows.
    """

    def __init__(self, pieces: NDArray[np.uint32] | mmap.mmap, lengths: Numbers) -> None:
        self.lengths = lengths
        self._map = pieces if isinstance(pieces, mmap.mmap) and len(pieces) > _KEPT else None
        self._bounds = np.concatenate([[0], np.cumsum(lengths * _PIECE_BYTES)])
        buffers = [None, pa.py_buffer(self._bounds), pa.py_buffer(pieces)]
        self._rows = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(lengths), buffers)

    @classmethod
    def in_file(cls, blocks: Iterable[pl.Series], folder: Path) -> PieceStore:
        """Rows that come in blocks (lists of uint32), laid down in a file without a name in ``folder``."""
        lengths = [np.empty(0, dtype=np.int64)]
        with tempfile.TemporaryFile(dir=folder) as file:
            for block in blocks:
                lengths.append(block.list.len().cast(pl.Int64).to_numpy())
                file.write(np.ascontiguousarray(block.explode().to_numpy()).data)
            file.flush()
            if not file.tell():
                return cls(np.empty(0, dtype=np.uint32), np.concatenate(lengths))
            return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.concatenate(lengths))

    def take(self, rows: Numbers) -> NDArray[np.uint32]:
        """A copy of the rows with these numbers (repeats allowed), end to end."""
        if self._map is None or not hasattr(mmap, "MADV_DONTNEED"):
            return self._gather(rows)
        order = np.argsort(rows, kind="stable")
        rising = rows[order]
        parts = [np.empty(0, dtype=np.uint32)]
        for some in np.split(rising, np.flatnonzero(np.diff(self._bounds[rising] // _WINDOW)) + 1):
            parts.append(self._gather(some))
            self._map.madvise(mmap.MADV_DONTNEED)
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return PieceStore(np.concatenate(parts), self.lengths[rising])._gather(back)

    def _gather(self, rows: Numbers) -> NDArray[np.uint32]:
        data = self._rows.take(arrow_numbers(rows)).buffers()[2]
        return np.frombuffer(data, dtype=np.uint32, count=int(self.lengths[rows].sum())).copy()
