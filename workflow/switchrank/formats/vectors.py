"""The vector store: ``<prefix>.words.parquet`` (words by falling frequency, and the lengths their vectors had) beside
``<prefix>.npy`` (float32 unit rows)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.formats.matrices import MatrixWriter, matrix_writer, open_matrix
from switchrank.formats.tables import WORDS, read_table, write_table


@dataclass(frozen=True)
class Vectors:
    """``words`` (n distinct strings), ``matrix`` (float32 unit rows, shape ``(n, d)``), ``norms`` (float32, ``(n,)``).

    Row i belongs to word i, and had the length ``norms[i]`` before it was made a unit row.
    """

    words: list[str]
    matrix: NDArray[np.float32]
    norms: NDArray[np.float32]


def vector_files(prefix: str | Path) -> tuple[Path, Path]:
    """The files of words and of the matrix."""
    return Path(f"{prefix}.words.parquet"), Path(f"{prefix}.npy")


class VectorWriter:
    """A store being written: rows go to disk block by block, so that no matrix is held in memory."""

    def __init__(self, matrix: MatrixWriter, prefix: str | Path) -> None:
        self.words: list[str] = []
        self._matrix, self._prefix = matrix, prefix
        self._norms: list[NDArray[np.float32]] = []

    @property
    def dimensions(self) -> int:
        """Of a vector; 0 before there is one."""
        return self._matrix.dimensions

    def append(self, words: list[str], rows: NDArray[np.float32], norms: NDArray[np.float32]) -> None:
        """Add unit rows, float32 ``(n, d)``, ``d`` the same in every call, and the lengths ``(n,)`` that they had."""
        with writing(self._prefix):
            self._matrix.append(rows)
        self.words += words
        self._norms.append(norms.astype(np.float32))

    def finish(self, words_file: Path) -> None:
        """Write the words."""
        with writing(self._prefix):
            norms = np.concatenate([np.empty(0, dtype=np.float32), *self._norms])
            write_table(pl.DataFrame({"word": self.words, "norm": norms}, schema=WORDS), words_file, WORDS)


@contextmanager
def vector_writer(prefix: str | Path) -> Iterator[VectorWriter]:
    """Write a store in blocks; both files appear at the end, the matrix first, or not at all (:func:`writing`)."""
    words_file, matrix_file = vector_files(prefix)
    with writing(prefix):
        words_file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(words_file) as words_temporary, matrix_writer(matrix_file) as matrix:
        writer = VectorWriter(matrix, prefix)
        yield writer
        writer.finish(words_temporary)


@contextmanager
def writing(prefix: str | Path) -> Iterator[None]:
    """Turn a full disk and the like into a :class:`UserError` that names what was to be written."""
    try:
        yield
    except OSError as error:
        problem = f"cannot be written ({error.strerror or error})"
        raise UserError(prefix, "", problem, "free space on the disk, or choose another folder") from error


def write_vectors(
    prefix: str | Path, words: list[str], matrix: NDArray[np.float32], norms: NDArray[np.float32] | None = None
) -> None:
    """Write a store atomically, the matrix first; ``norms`` are 1 where none are given."""
    norms = np.ones(len(words), dtype=np.float32) if norms is None else norms
    with vector_writer(prefix) as writer:
        writer.append(words, matrix, norms)


def load_vectors(prefix: str | Path) -> Vectors:
    """Open a store; the matrix is memory-mapped and read-only.

    Raises:
        UserError: a file is missing or damaged, or words and rows differ in number.
    """
    words_file, matrix_file = vector_files(prefix)
    table = read_table(words_file, WORDS)
    words = table["word"].to_list()
    matrix = open_matrix(matrix_file, "delete both files and rerun")
    if len(words) != len(matrix):
        raise UserError(matrix_file, "", f"{len(matrix)} rows for {len(words)} words", "delete both files and rerun")
    return Vectors(words, matrix, table["norm"].to_numpy())
