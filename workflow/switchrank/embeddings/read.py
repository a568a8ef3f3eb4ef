"""Read given word vectors into a vector store: text of any origin, word2vec binary, fastText binary, packed or not.

Text (fastText, word2vec, GloVe, MUSE) is a header ``rows dimensions`` (optional), then one row a line: a word, a space,
the numbers. Rows end at the line feed alone, as words may hold other line separators (U+2028, U+0085); words may hold
spaces, so rows are split from the right. word2vec's binary is such a header, then per row a word, a space, float32
numbers; the original program ends each row with a line feed.

A file that this code has read before with these settings is copied from the cache, not parsed. An entry there is the
two files of a store and a ``.json`` with their digests, written last. Entries of one key are equal byte by byte, so
that two processes may write or read one at the same time; a file that does not have its digest is not used.
"""

import hashlib
import io
import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.atomic import atomic_path
from switchrank.core.digest import code_digest, value_digest
from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.embeddings.fasttext_binary import read_fasttext_vectors
from switchrank.files.reading import disk_errors, open_bytes, read_lines
from switchrank.formats.vector_kinds import HEADER, MOST_DIMENSIONS, Kind, vector_kind
from switchrank.formats.vectors import VectorWriter, vector_files, vector_writer, writing

_CHUNK = 1 << 22
_LONGEST_LINE, _LONGEST_WORD = 1 << 20, 1 << 16
_SAMPLE = 100
"""Rows that tell the number of dimensions where there is no header."""
_DECIMAL = re.compile(rb"[-+]?\d*\.\d+(e[-+]?\d+)?")
_TOLERATED = 1000
"""One row in this many may have the wrong dimension and is skipped; more make the file unusable."""


def import_vectors(
    *,
    path: str | Path,
    out: str | Path,
    max_words: int | None = None,
    extra_words: str | Path | None = None,
    cache: str | Path | None = None,
) -> dict[str, int]:
    """Write the vector store ``out`` (prefix) from a file of word vectors, rows made unit length.

    Words are kept as they are, in NFC; the lengths the rows had are kept as ``norm``. Skipped with a counted warning:
    repeated words (the first row stays), rows without a direction (zero, NaN, infinite), words that are not UTF-8, and
    rows of the wrong dimension while they are fewer than one in a thousand. Returns ``{"words": n, "dim": d}``.

    Args:
        path: ``.vec`` or other text of vectors, word2vec binary, fastText binary; plain, gzip or xz.
        max_words: stop after this many words; the rows of a fastText binary are chosen before reading, so that a few
            may be missing if more than one in a hundred is skipped.
        extra_words: text file, a word a line (UTF-8, plain, gzip or xz): these follow after the others, in this order.
            Needs a fastText binary; words outside of its vocabulary get the mean of their character n-grams.
        cache: folder in which stores are kept by the content of ``path``; nothing is kept without one.

    Raises:
        UserError: the file is missing, damaged, broken off, empty, no vector file, of too many wrong rows, or has no
            vectors for extra words; the store cannot be written.
    """
    path = Path(path)
    kind = vector_kind(path)
    if extra_words is not None and kind != "fasttext":
        problem = "only a fastText binary has vectors for further words"
        raise UserError(path, "", problem, "give the .bin of the model, or leave the extra words out")
    entry, record = None, None
    if cache is not None:
        extra = None if extra_words is None else _content_digest(Path(extra_words))
        key = value_digest([_content_digest(path), max_words, extra, code_digest("embeddings.read")])
        entry = Path(cache) / "vectors" / key
        record = _fetch_cached(entry, out)
    if not record:
        lines = read_lines(extra_words) if extra_words is not None else ()
        record = _read(path, kind, out, max_words, [word for _, line in lines if (word := line.strip())])
        if entry:
            _keep_cached(entry, out, record)
    for note in record["notes"]:
        print(f"{path}: warning: {note}", file=sys.stderr)
    return {"words": record["words"], "dim": record["dim"]}


def _read(path: Path, kind: Kind, out: str | Path, max_words: int | None, extra_words: Sequence[str]) -> dict[str, Any]:
    """Write a store; returns the number of its words and dimensions, and what there is to say of the file."""
    with vector_writer(out) as writer:
        sink = RowSink(writer, max_words)
        if kind == "fasttext":
            read_fasttext_vectors(path, sink, extra_words)
        elif kind == "word2vec":
            read_word2vec_vectors(path, sink)
        else:
            read_text_vectors(path, sink)
        if not sink.words:
            raise UserError(path, "", "holds no word vector", "give a file of word vectors, such as a .vec file")
    skipped = [f"skipped {count} {what}" for what, count in sink.skipped.items() if count]
    return {"words": len(writer.words), "dim": writer.dimensions, "notes": skipped + sink.remarks}


def _content_digest(path: Path) -> str:
    """SHA-256 of the bytes of a file as they lie on disk, with a progress bar."""
    with disk_errors(path), path.open("rb") as file:
        return _digest(file, f"digest of {path.name}", path.stat().st_size)


def _digest(file: IO[bytes], what: str | None = None, total: int = 0, copy: IO[bytes] | None = None) -> str:
    """SHA-256 of the rest of a file, which is written to ``copy`` as well."""
    digest = hashlib.sha256()
    with progress(total=total, what=what, unit="B") as bar:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            bar.update(len(chunk))
            if copy:
                copy.write(chunk)
    return digest.hexdigest()


def _fetch_cached(entry: Path, out: str | Path) -> dict[str, Any] | None:
    """Copy the store of ``entry`` (a prefix) to the prefix ``out``; None where there is no whole one."""
    try:
        kept = json.loads(Path(f"{entry}.json").read_text(encoding="utf-8"))
        record = {"words": int(kept["words"]), "dim": int(kept["dim"]), "notes": list(map(str, kept["notes"]))}
        _copy_store(entry, out, expected=kept["sha256"])
    except OSError:
        return None
    except (ValueError, LookupError, TypeError):
        print(f"{entry}: warning: the cached vectors are damaged and are made again", file=sys.stderr)
        return None
    return record


def _keep_cached(entry: Path, out: str | Path, record: dict[str, Any]) -> None:
    """Copy the store ``out`` into the cache. Where that fails there is a warning, and no harm is done."""
    try:
        digests = _copy_store(out, entry)
        with atomic_path(f"{entry}.json") as temporary:
            temporary.write_text(json.dumps({**record, "sha256": digests}, indent=2) + "\n", encoding="utf-8")
    except (OSError, UserError) as error:
        print(f"{entry}: warning: the vectors are not kept in the cache ({error})", file=sys.stderr)


def _copy_store(source: str | Path, target: str | Path, expected: list[str] | None = None) -> list[str]:
    """Copy both files of a store, all or none; returns their digests. ValueError if they are not those ``expected``."""
    digests = []
    words, matrix = vector_files(target)
    with writing(target):
        words.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(words) as words_temporary, atomic_path(matrix) as matrix_temporary:
        for file, temporary in zip(vector_files(source), (words_temporary, matrix_temporary), strict=True):
            with file.open("rb") as reader, writing(temporary), temporary.open("wb") as writer:
                digests.append(_digest(reader, copy=writer))
            if expected is not None and expected[len(digests) - 1] != digests[-1]:
                raise ValueError(file)
    return digests


class RowSink:
    """Writes usable rows as unit rows, at most ``limit``; counts what was ``skipped``; ``remarks`` are for the user."""

    def __init__(self, writer: VectorWriter, limit: int | None = None) -> None:
        self.words: set[str] = set()
        self.limit = limit
        self.skipped: Counter[str] = Counter()
        self.remarks: list[str] = []
        self._writer = writer

    @property
    def wanted(self) -> float:
        return float("inf") if self.limit is None else self.limit - len(self.words)

    def take(self, words: list[bytes], matrix: NDArray[np.float32]) -> int:
        """Take raw words and their rows ``(n, d)``; returns how many were kept."""
        norms = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
        pointing = np.isfinite(norms) & (norms > 0)
        self.skipped["rows without a direction"] += int((~pointing).sum())
        kept, names = [], []
        for index in np.flatnonzero(pointing).tolist():
            if self.wanted <= 0:
                break
            try:
                word = unicodedata.normalize("NFC", words[index].decode("utf-8"))
            except UnicodeDecodeError:
                self.skipped["words that are not UTF-8"] += 1
                continue
            if not word or word in self.words:
                self.skipped["repeated words" if word else "rows without a word"] += 1
                continue
            self.words.add(word)
            kept.append(index)
            names.append(word)
        if kept:
            self._writer.append(names, (matrix[kept] / norms[kept, None]).astype(np.float32), norms[kept])
        return len(kept)


def read_text_vectors(path: str | Path, sink: RowSink) -> None:
    """Give the rows of a text file to ``sink``, until it wants no more; raises UserError for a damaged file."""
    with open_bytes(path) as file, progress(total=sink.limit, what=f"read {Path(path).name}", unit="words") as bar:
        table = _Table(file, path)
        while sink.wanted > 0 and (block := table.next_rows(sink.wanted)):
            bar.update(sink.take(*table.parse(block)))
            if table.seen >= _TOLERATED and 2 * table.misshapen > table.seen:
                raise table.refusal()
        table.check(sink, complete=sink.wanted > 0)


class _Table:
    """A text file, its shape, and which of its rows do not have it."""

    def __init__(self, file: IO[bytes], path: str | Path) -> None:
        self.seen = self.misshapen = 0
        self._file, self._path = file, path
        self._first_misshapen = self._last_misshapen = 0
        self._cut_off = False
        """The last line has no line feed."""
        lines = self._lines()
        sample = list(islice(lines, _SAMPLE))
        if sample:
            sample[0] = sample[0].removeprefix(b"\xef\xbb\xbf")
        header = HEADER.fullmatch(sample[0] + b"\n") if sample else None
        spaces = Counter(line.count(b" ") for line in sample)
        usual = min(spaces, key=lambda number: (-spaces[number], number), default=0)
        self._promised = int(header[1]) if header else None
        self._dimensions = int(header[2]) if header else usual
        if self._dimensions > MOST_DIMENSIONS:
            problem = f"{self._dimensions} dimensions cannot be right"
            raise UserError(path, "line 1", problem, "fetch the file again or correct the header")
        self._rows = chain(sample[1:] if header else sample, lines)
        self._next = 2 if header else 1

    def _lines(self) -> Iterator[bytes]:
        """Lines without their line feed, carriage return or trailing spaces (fastText writes one)."""
        rest, number = b"", 1
        while chunk := self._file.read(_CHUNK):
            *whole, rest = (rest + chunk).split(b"\n")
            number += len(whole)
            yield from (line.rstrip(b" \r") for line in whole)
            if len(rest) > _LONGEST_LINE:
                problem = f"longer than {_LONGEST_LINE >> 20} MiB, so not a row of a vector file"
                raise UserError(self._path, f"line {number}", problem, "give a .vec file: `word number ...` a line")
        if rest:
            self._cut_off = True
            yield rest.rstrip(b" \r")

    def next_rows(self, wanted: float) -> list[bytes]:
        size = max(1, _CHUNK // (8 * max(self._dimensions, 1)))
        return list(islice(self._rows, int(min(size, wanted))))

    def parse(self, lines: list[bytes]) -> tuple[list[bytes], NDArray[np.float32]]:
        """Words and numbers ``(n, dimensions)`` of the rows that have the right shape."""
        split = [_split_row(line, self._dimensions) for line in lines]
        places = [place for place, row in enumerate(split) if row is not None]
        rows = [row for row in split if row is not None]
        matrix, malformed = _parse_numbers([numbers for _, numbers in rows], self._dimensions)
        right = np.flatnonzero(~malformed)
        if len(right) < len(lines):
            wrong = np.setdiff1d(np.arange(len(lines)), np.array(places, dtype=np.int64)[right]) + self._next
            self._first_misshapen = self._first_misshapen or int(wrong[0])
            self._last_misshapen = int(wrong[-1])
            self.misshapen += len(wrong)
        self.seen += len(lines)
        self._next += len(lines)
        return [rows[index][0] for index in right], matrix if len(right) == len(rows) else matrix[right]

    def check(self, sink: RowSink, complete: bool) -> None:
        """Refuse a file that is not one of vectors, or (if read to its end) broken off; count misshapen rows."""
        if complete and self._cut_off and self._last_misshapen == self._next - 1:
            problem = f"broken off in the middle of a row of {self._dimensions} numbers"
            raise UserError(self._path, f"line {self._last_misshapen}", problem, "fetch the file again")
        if self.misshapen and self.misshapen * _TOLERATED >= self.seen:
            raise self.refusal()
        if complete and self._promised is not None and self.seen < self._promised:
            problem = f"the header promises {self._promised} rows, the file has {self.seen}"
            raise UserError(self._path, "line 1", problem, "fetch the file again or correct the header")
        if self._promised is not None and self.seen > self._promised:
            sink.remarks.append(f"the header promises {self._promised} rows, the file has at least {self.seen}")
        sink.skipped[f"rows that are not a word and {self._dimensions} numbers"] += self.misshapen

    def refusal(self) -> UserError:
        problem = f"not a word and {self._dimensions} numbers ({self.misshapen} of {self.seen} rows are like this)"
        place = f"line {self._first_misshapen}"
        return UserError(self._path, place, problem, "fetch the file again or mend those lines")


def _split_row(line: bytes, dimensions: int) -> tuple[bytes, bytes] | None:
    spaces = line.count(b" ")
    if spaces < dimensions or dimensions == 0 or line.startswith(b" "):
        return None
    if spaces == dimensions:
        word, _, numbers = line.partition(b" ")
        return word, numbers
    word, *fields = line.rsplit(b" ", dimensions)
    if all(_DECIMAL.fullmatch(part) for part in word.split(b" ")[1:]):
        return None
    return word, b" ".join(fields)


def _parse_numbers(rows: list[bytes], dimensions: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The numbers of space-separated rows as float32 ``(n, dim)``, and which rows hold something that is no number."""
    if not rows:
        return np.empty((0, dimensions), dtype=np.float32), np.empty(0, dtype=np.bool_)
    frame = pl.read_csv(
        io.BytesIO(b"\n".join(rows) + b"\n"),
        separator=" ",
        has_header=False,
        quote_char=None,
        ignore_errors=True,
        schema={f"d{column}": pl.Float32 for column in range(dimensions)},
    )
    malformed = frame.select(pl.any_horizontal(pl.all().is_null())).to_series().to_numpy()
    return np.ascontiguousarray(frame.to_numpy()), malformed


def read_word2vec_vectors(path: str | Path, sink: RowSink) -> None:
    """Give the rows of a word2vec binary file to ``sink``, until it wants no more; raises UserError where damaged."""
    with open_bytes(path) as file, progress(total=sink.limit, what=f"read {Path(path).name}", unit="words") as bar:
        header = HEADER.match(file.readline(64))
        if header is None:
            raise UserError(path, "", "no header of word2vec's binary format", "fetch the file again")
        promised, dimensions = int(header[1]), int(header[2])
        size, rest, seen = 4 * dimensions, b"", 0
        while seen < promised and sink.wanted > 0 and (chunk := file.read(_CHUNK)):
            data = rest + chunk
            words, rows, start = [], [], 0
            while seen < promised:
                space = data.find(b" ", start, start + _LONGEST_WORD)
                if space < 0 and len(data) - start >= _LONGEST_WORD:
                    problem = f"no word before byte {_LONGEST_WORD} of the row"
                    raise UserError(path, f"row {seen + 1}", problem, "fetch the file again: it is damaged")
                if space < 0 or space + 1 + size > len(data):
                    break
                words.append(data[start:space].lstrip(b"\n"))
                rows.append(data[space + 1 : space + 1 + size])
                start = space + 1 + size
                seen += 1
            rest = data[start:]
            if words:
                matrix = np.frombuffer(b"".join(rows), dtype="<f4").reshape(len(words), dimensions)
                bar.update(sink.take(words, matrix))
        if sink.wanted <= 0:
            return
        if seen < promised:
            problem = f"the header promises {promised} rows, the file has {seen}"
            raise UserError(path, "", problem, "fetch the file again")
        if file.read(2).strip(b"\n"):
            sink.remarks.append("bytes stand behind the last word")
