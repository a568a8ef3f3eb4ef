"""The vector store: ``<prefix>.words.parquet`` (words by falling frequency, and the lengths their vectors had) beside
``<prefix>.npy`` (float32 unit rows)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.atomic import atomic_path
from switchrank.errors import UserError
from switchrank.formats.tables import WORDS, read_table, write_table


@dataclass(frozen=True)
class Vectors:
    """``words`` (n distinct strings), ``matrix`` (float32, shape ``(n, d)``), row i belongs to word i.

    ``norms`` (float32, shape ``(n,)``) are the lengths the rows had before they were made unit rows.
    """

    words: list[str]
    matrix: NDArray[np.float32]
    norms: NDArray[np.float32]


def vector_files(prefix: str | Path) -> tuple[Path, Path]:
    """The two files of a store: words, matrix."""
    return Path(f"{prefix}.words.parquet"), Path(f"{prefix}.npy")


def write_vectors(
    prefix: str | Path, words: list[str], matrix: NDArray[np.float32], norms: NDArray[np.float32] | None = None
) -> None:
    """Write a store atomically, the matrix first; ``norms`` are 1 where none are given."""
    norms = np.ones(len(words), dtype=np.float32) if norms is None else norms
    words_file, matrix_file = vector_files(prefix)
    with atomic_path(matrix_file) as temporary:
        np.save(temporary, np.ascontiguousarray(matrix, dtype=np.float32), allow_pickle=False)
    write_table(pl.DataFrame({"word": words, "norm": norms}, schema=WORDS), words_file, WORDS)


def load_vectors(prefix: str | Path) -> Vectors:
    """Open a store; the matrix is memory-mapped and read-only.

    Raises:
        UserError: a file is missing, or words and rows differ in number.
    """
    words_file, matrix_file = vector_files(prefix)
    table = read_table(words_file, WORDS)
    words = table["word"].to_list()
    if not matrix_file.is_file():
        raise UserError(matrix_file, "", "no such file", "delete the .words.parquet beside it and rerun")
    matrix = np.load(matrix_file, mmap_mode="r", allow_pickle=False)
    if len(words) != len(matrix):
        raise UserError(matrix_file, "", f"{len(matrix)} rows for {len(words)} words", "delete both files and rerun")
    return Vectors(words, matrix, table["norm"].to_numpy())
