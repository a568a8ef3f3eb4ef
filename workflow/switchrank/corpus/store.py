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

from switchrank.corpus.arrow import arrow_numbers, numpy_numbers
from switchrank.ragged import Numbers

_KEPT = 1 << 28
"""Bytes of a file that may stay resident; pages of a larger one are let go after each look."""


class PieceStore:
    """Rows of piece numbers.

    Args:
        pieces: all rows end to end (uint32), or a map of a file that holds them.
        lengths: of the rows.
    """

    def __init__(self, pieces: NDArray[np.uint32] | mmap.mmap, lengths: Numbers) -> None:
        self.lengths = lengths
        self._map = pieces if isinstance(pieces, mmap.mmap) and len(pieces) > _KEPT else None
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        values = pa.Array.from_buffers(pa.uint32(), int(offsets[-1]), [None, pa.py_buffer(pieces)])
        self._rows = pa.LargeListArray.from_arrays(arrow_numbers(offsets), values)

    @classmethod
    def in_file(cls, blocks: Iterable[pl.Series], folder: Path) -> PieceStore:
        """Rows that come in blocks (lists of uint32), laid down in a file without a name in ``folder``."""
        lengths = [np.empty(0, dtype=np.int64)]
        with tempfile.TemporaryFile(dir=folder) as file:
            for block in blocks:
                lengths.append(block.list.len().cast(pl.Int64).to_numpy())
                file.write(block.explode().to_numpy().tobytes())
            file.flush()
            if not file.tell():
                return cls(np.empty(0, dtype=np.uint32), np.concatenate(lengths))
            return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.concatenate(lengths))

    def take(self, rows: Numbers) -> NDArray[np.uint32]:
        """A copy of the rows with these numbers (repeats allowed), end to end."""
        taken: NDArray[np.uint32] = numpy_numbers(self._rows.take(arrow_numbers(rows)).flatten()).copy()
        if self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
        return taken
