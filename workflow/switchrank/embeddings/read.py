"""Read word vectors in fastText's text format (``.vec``, ``.vec.gz``, ``.vec.xz``) into a vector store.

A file is a header ``rows dimensions`` (optional), then one row a line: a word, a space, the numbers. Rows end at the
line feed alone, since words may hold other line separators (U+2028, U+0085); words may hold spaces, so rows are split
from the right. Numbers are parsed in blocks, never one by one in Python.
"""

from __future__ import annotations

import io
import re
import sys
import unicodedata
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.errors import UserError
from switchrank.formats.vectors import write_vectors
from switchrank.progress import progress
from switchrank.reading import open_bytes

_CHUNK = 1 << 23
_DECIMAL = re.compile(rb"[-+]?\d*\.\d+(e[-+]?\d+)?")
_TOLERATED = 1000
"""One row in this many may have the wrong dimension and is skipped; more make the file unusable."""


def import_vectors(*, path: str | Path, out: str | Path, max_words: int | None = None) -> dict[str, int]:
    """Write the vector store ``out`` (prefix) from a text file of word vectors, rows made unit length.

    Words are kept as they are, in NFC; the lengths the rows had are kept as ``norm``. Skipped with a counted warning:
    repeated words (the first row stays), rows without a direction (zero, NaN, infinite), words that are not UTF-8, and
    rows of the wrong dimension while they are fewer than one in a thousand.

    Args:
        path: ``.vec``, ``.vec.gz`` or ``.vec.xz``.
        out: prefix of the store.
        max_words: stop after this many words.

    Returns:
        ``{"words": n, "dim": d}``.

    Raises:
        UserError: the file is missing, damaged, broken off, empty, or too many rows have the wrong dimension.
    """
    rows = _Rows(Path(path))
    with open_bytes(path) as file, progress(total=max_words, what=f"read {Path(path).name}", unit="words") as bar:
        lines = _lines(file)
        for first, block in _blocks(lines, rows, max_words):
            before = len(rows.words)
            rows.take(block, first)
            bar.update(len(rows.words) - before)
    rows.check(complete=max_words is None or len(rows.words) < max_words)
    write_vectors(out, list(rows.words), rows.matrix(), np.concatenate(rows.norms))
    return {"words": len(rows.words), "dim": rows.dim}


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines without their line feed, carriage return or trailing spaces (fastText writes one)."""
    rest = b""
    while chunk := file.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.rstrip(b" \r") for line in whole)
    if rest:
        yield rest.rstrip(b" \r")


def _blocks(lines: Iterator[bytes], rows: _Rows, max_words: int | None) -> Iterator[tuple[int, list[bytes]]]:
    """Blocks of data lines, each with the number of its first line, until the file or ``max_words`` is reached."""
    head = next(lines, b"")
    number = 1
    if re.fullmatch(rb"\d+ \d+", head):
        rows.promised, rows.dim = map(int, head.split())
        number, pending = 2, list(islice(lines, 1))
    else:
        rows.dim, pending = head.count(b" "), [head] if head else []
    size = max(1, _CHUNK // (8 * max(rows.dim, 1)))
    while pending:
        wanted = size if max_words is None else min(size, max_words - len(rows.words))
        pending += islice(lines, max(0, wanted - len(pending)))
        yield number, pending
        number += len(pending)
        pending = [] if len(rows.words) == max_words else list(islice(lines, 1))


class _Rows:
    """What has been read so far, and what was left out and why."""

    def __init__(self, path: Path) -> None:
        self.path, self.dim = path, 0
        self.promised: int | None = None
        self.words: dict[str, None] = {}
        self.blocks: list[NDArray[np.float32]] = []
        self.norms: list[NDArray[np.float32]] = []
        self.seen = 0
        self.misshapen: list[int] = []
        self.skipped = {"repeated words": 0, "rows without a direction": 0, "words that are not UTF-8": 0}

    def take(self, lines: list[bytes], first: int) -> None:
        """Take in one block of lines; ``first`` is the line number of the first of them."""
        self.seen += len(lines)
        split = [_split_row(line, self.dim) for line in lines]
        numbered = [(number, *row) for number, row in enumerate(split, start=first) if row is not None]
        self.misshapen += [number for number, row in enumerate(split, start=first) if row is None]
        if not numbered:
            return
        matrix, malformed = _parse_numbers([numbers for _, _, numbers in numbered], self.dim)
        self.misshapen += [numbered[index][0] for index in np.flatnonzero(malformed)]
        norms = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
        pointing = np.isfinite(norms) & (norms > 0)
        self.skipped["rows without a direction"] += int((~pointing & ~malformed).sum())
        usable = pointing & ~malformed
        kept = [index for index in np.flatnonzero(usable) if self._admit(numbered[index][1])]
        self.blocks.append((matrix[kept] / norms[kept, None]).astype(np.float32))
        self.norms.append(norms[kept].astype(np.float32))

    def _admit(self, raw: bytes) -> bool:
        try:
            word = unicodedata.normalize("NFC", raw.decode("utf-8"))
        except UnicodeDecodeError:
            self.skipped["words that are not UTF-8"] += 1
            return False
        if word in self.words:
            self.skipped["repeated words"] += 1
            return False
        self.words[word] = None
        return True

    def matrix(self) -> NDArray[np.float32]:
        """All unit rows, ``(n, dim)``; the blocks are released on the way."""
        matrix = np.empty((len(self.words), self.dim), dtype=np.float32)
        start = 0
        for index, block in enumerate(self.blocks):
            matrix[start : start + len(block)] = block
            start += len(block)
            self.blocks[index] = block[:0]
        return matrix

    def check(self, complete: bool) -> None:
        """Report what was skipped; refuse a file that is not one of vectors, or (if read to its end) broken off."""
        if self.misshapen and len(self.misshapen) * _TOLERATED >= self.seen:
            raise UserError(
                self.path,
                f"line {min(self.misshapen)}",
                f"not a word and {self.dim} numbers ({len(self.misshapen)} of {self.seen} rows are like this)",
                "fetch the file again or mend those lines",
            )
        if complete and self.promised is not None and self.seen < self.promised:
            problem = f"the header promises {self.promised} rows, the file has {self.seen}"
            raise UserError(self.path, "line 1", problem, "fetch the file again or correct the header")
        if not self.words:
            raise UserError(self.path, "", "holds no word vector", "give a .vec file: `word number number ...` a line")
        counts = {**self.skipped, f"rows that are not a word and {self.dim} numbers": len(self.misshapen)}
        for what, count in counts.items():
            if count:
                print(f"{self.path}: warning: skipped {count} {what}", file=sys.stderr)


def _split_row(line: bytes, dim: int) -> tuple[bytes, bytes] | None:
    """Word and numbers of one row, or None where the row cannot have ``dim`` numbers."""
    spaces = line.count(b" ")
    if spaces < dim or dim == 0 or line.startswith(b" "):
        return None
    if spaces == dim:
        word, _, numbers = line.partition(b" ")
        return word, numbers
    word, *fields = line.rsplit(b" ", dim)
    if all(_DECIMAL.fullmatch(part) for part in word.split(b" ")[1:]):
        return None
    return word, b" ".join(fields)


def _parse_numbers(rows: list[bytes], dim: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The numbers of space-separated rows as float32 ``(n, dim)``, and which rows hold something that is no number."""
    frame = pl.read_csv(
        io.BytesIO(b"\n".join(rows) + b"\n"),
        separator=" ",
        has_header=False,
        quote_char=None,
        ignore_errors=True,
        schema={f"d{column}": pl.Float32 for column in range(dim)},
    )
    malformed = frame.select(pl.any_horizontal(pl.all().is_null())).to_series().to_numpy()
    return np.ascontiguousarray(frame.to_numpy()), malformed
