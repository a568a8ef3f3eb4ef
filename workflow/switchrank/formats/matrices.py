"""Vectors in ``.npy`` files: rows of float32, or of float16, in C order, written and read block by block."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError

Floats = NDArray[np.float32]
_BYTES = 1 << 25
"""Bytes of rows that are read at once."""
_AGAIN = "encode these texts again"
_SINGLE = "<f4"


class MatrixWriter:
    """A file being written: rows go to disk as they come, so that no matrix is held in memory."""

    def __init__(self, file: IO[bytes], dtype: str = _SINGLE) -> None:
        self.rows = self.dimensions = 0
        self._file, self._dtype = file, np.dtype(dtype)

    def append(self, rows: Floats) -> None:
        """Add rows ``(n, d)``, ``d`` the same in every call."""
        if not self.dimensions:
            self.dimensions = rows.shape[1]
            self._start = self._write_head()
        self._file.write(np.ascontiguousarray(rows, dtype=self._dtype).data)
        self.rows += len(rows)

    def row(self, number: int) -> Floats:
        """A row that was added before, ``(d,)``."""
        self._file.flush()
        size = self._dtype.itemsize * self.dimensions
        return np.frombuffer(os.pread(self._file.fileno(), size, self._start + number * size), dtype=self._dtype)

    def finish(self) -> None:
        """Put the final number of rows into the head of the file."""
        self._file.seek(0)
        self._write_head()
        self._file.flush()

    def _write_head(self) -> int:
        """Write the head, and return its size; numpy leaves room in it for any number of rows."""
        head = {"descr": self._dtype.str, "fortran_order": False, "shape": (self.rows, self.dimensions)}
        np.lib.format.write_array_header_1_0(self._file, head)
        return self._file.tell()


@contextmanager
def matrix_writer(path: str | Path, dtype: str = _SINGLE) -> Iterator[MatrixWriter]:
    """Write a ``.npy`` file of numbers of a type in blocks; it appears at the end, or not at all."""
    with atomic_path(path) as temporary, temporary.open("w+b") as file:
        writer = MatrixWriter(file, dtype)
        yield writer
        writer.finish()


def open_matrix(path: str | Path, todo: str = _AGAIN, dtype: str = _SINGLE) -> Floats:
    """A file of rows of a type, memory-mapped and read-only.

    Raises UserError, with ``todo`` as what to do, where there is none, it is damaged, or it holds anything else.
    """
    if not Path(path).is_file():
        raise UserError(path, "", "no such file", todo)
    try:
        matrix = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, TypeError, OverflowError, SyntaxError, TokenError, OSError, EOFError) as error:
        problem = f"not a whole .npy file ({' '.join(str(error).split())})"
        raise UserError(path, "", problem, todo) from error
    if matrix.ndim != 2 or matrix.dtype != np.dtype(dtype) or not matrix.flags.c_contiguous:
        problem = f"an array of shape {matrix.shape} and type {matrix.dtype}, not rows of {np.dtype(dtype)}"
        raise UserError(path, "", problem, todo)
    return matrix  # type: ignore[no-any-return]


def read_blocks(path: str | Path) -> Iterator[Floats]:
    """The rows of a file that :func:`open_matrix` opens, in blocks: they are read, not mapped, so that none stays."""
    matrix: Any = open_matrix(path)
    rows, dimensions = matrix.shape
    size = max(1, _BYTES // (4 * max(1, dimensions)))
    for start in range(0, rows, size):
        count, offset = min(size, rows - start) * dimensions, matrix.offset + 4 * dimensions * start
        yield np.fromfile(path, dtype=np.float32, count=count, offset=offset).reshape(-1, dimensions)
