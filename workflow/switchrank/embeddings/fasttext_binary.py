"""Rows of fastText's binary model (versions 11 and 12), with vectors for words it has never seen.

The vector of a word is the mean of its own row (if it is in the vocabulary) and the rows of its character n-grams
(Bojanowski et al. 2017, arXiv 1607.04606); layout and hashing follow fastText's ``model``, ``dictionary.cc`` and
``densematrix.cc``. ``fasttext.load_model`` would hold the whole model, some 7 GB for the published ones, cannot read a
packed file, and accepts a truncated one, or never returns. Here the matrix is read once, in blocks, and only vectors of
the words that are asked for are held.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.files.reading import open_bytes
from switchrank.formats.vector_kinds import FASTTEXT_MAGIC, MOST_DIMENSIONS

if TYPE_CHECKING:
    from switchrank.embeddings.read import RowSink

_CHUNK = 1 << 22
_LONGEST_WORD = 1 << 16
_SUPERVISED = 3
_END_OF_SENTENCE = b"</s>"
_SPARE = 1.01
"""Vocabulary words taken for each word asked for, in place of words that will be skipped."""
_OFFSET, _PRIME = np.uint32(2166136261), np.uint32(16777619)
"""Of 32-bit FNV-1a."""
_PAIRS = 1 << 13
_SHIFT, _LOW = np.uint64(32), np.uint64(2**32 - 1)
_WORDS = 1 << 14


@dataclass(frozen=True)
class Model:
    """What stands before the matrix: settings, and the first words of the vocabulary."""

    dimensions: int
    shortest: int
    longest: int
    buckets: int
    vocabulary: int
    words: list[bytes]
    known: dict[bytes, int]
    """Vocabulary rows of asked-for words that are not among ``words``."""


def read_fasttext_vectors(path: Path, sink: RowSink, extra_words: Sequence[str] = ()) -> None:
    """Give the vocabulary of a fastText model to ``sink``, until it wants no more, then ``extra_words`` beyond it.

    Those outside of the vocabulary get the mean of their n-grams, and none counts towards the limit of the sink.
    UserError: a file that is damaged, quantised, or holds no words.
    """
    with open_bytes(path) as file:
        reader = _Reader(file, path)
        model = _read_head(reader, sink.limit, {word.encode() for word in extra_words})
        inside = set(model.words)
        extra = [word for word in dict.fromkeys(word.encode() for word in extra_words) if word not in inside]
        matrix = _vectors(reader, model, extra)
    count = len(model.words)
    _give(sink, model.words, matrix[:count])
    sink.limit = None
    before = sink.skipped["rows without a direction"]
    _give(sink, extra, matrix[count:])
    sink.skipped["extra words without a known n-gram"] += sink.skipped["rows without a direction"] - before
    sink.skipped["rows without a direction"] = before


def check_model(path: str | Path) -> Model:
    """The words and settings of a fastText model, which is read to its end, so that both its matrices are there."""
    with open_bytes(path) as file:
        reader = _Reader(file, path)
        model = _read_head(reader, None, set())
        reader.pass_over(4 * model.dimensions * (model.vocabulary + model.buckets))
        reader.numbers("?")
        rows, columns = reader.numbers("2q")
        if columns != model.dimensions or rows < 0:
            raise reader.damaged(f"an output matrix of {rows} x {columns}")
        reader.pass_over(4 * rows * columns)
    return model


class _Reader:
    """Whole pieces of a file, or the error that it is truncated."""

    def __init__(self, file: IO[bytes], path: str | Path) -> None:
        self.path = path
        self._file, self._ahead, self._at = file, b"", 0

    def numbers(self, layout: str) -> tuple[Any, ...]:
        """Little-endian numbers as :mod:`struct` names them, without padding."""
        return struct.unpack(f"<{layout}", self.take(struct.calcsize(f"<{layout}")))

    def take(self, count: int) -> bytes:
        while len(self._ahead) - self._at < count:
            self._more()
        self._at += count
        return self._ahead[self._at - count : self._at]

    def pass_over(self, count: int) -> None:
        """Skip ``count`` bytes, all of which must be there."""
        while count > 0:
            count -= len(self.take(min(count, _CHUNK)))

    def word(self) -> bytes:
        """Bytes up to a zero byte, which is skipped."""
        while (end := self._ahead.find(0, self._at)) < 0:
            if len(self._ahead) - self._at > _LONGEST_WORD:
                raise self.damaged(f"a word of more than {_LONGEST_WORD} bytes")
            self._more()
        word, self._at = self._ahead[self._at : end], end + 1
        return word

    def damaged(self, what: str) -> UserError:
        return UserError(self.path, "", f"damaged fastText model: {what}", "fetch the file again")

    def _more(self) -> None:
        chunk = self._file.read(_CHUNK)
        if not chunk:
            raise UserError(self.path, "", "broken off: not a whole fastText model", "fetch the file again")
        self._ahead, self._at = self._ahead[self._at :] + chunk, 0


def _read_head(reader: _Reader, limit: int | None, asked: set[bytes]) -> Model:
    magic, version = reader.take(4), reader.numbers("i")[0]
    if magic != FASTTEXT_MAGIC or version not in (11, 12):
        problem = f"fastText format version {version}, known are 11 and 12"
        raise UserError(reader.path, "", problem, "give the .vec file of the model")
    dimensions, *_, kind, buckets, shortest, longest, _, _ = reader.numbers("12id")
    size, vocabulary, _, _, pruned = reader.numbers("3i2q")
    if not 0 < dimensions <= MOST_DIMENSIONS:
        raise reader.damaged(f"{dimensions} dimensions")
    if buckets < 0 or not 0 <= vocabulary <= size or vocabulary + buckets >= 2**31:
        raise reader.damaged(f"{vocabulary} words of {size} entries, {buckets} buckets")
    if version == 11 and kind == _SUPERVISED:
        longest = 0
    most = vocabulary if limit is None else int(limit * _SPARE) + 1
    words: list[bytes] = []
    known: dict[bytes, int] = {}
    for place in progress(range(size), what=f"words of {Path(reader.path).name}", unit="words"):
        word = reader.word()
        reader.take(9)  # its count and whether it is a word or a label: words stand first
        if place < min(most, vocabulary):
            words.append(word)
        elif place < vocabulary and word in asked:
            known[word] = place
    if pruned >= 0 or reader.numbers("?")[0]:
        raise UserError(reader.path, "", "a quantised model (.ftz)", "give the .bin or .vec it was made from")
    if not words:
        raise UserError(reader.path, "", "holds no word vector", "give a model with a vocabulary")
    rows, columns = reader.numbers("2q")
    if (rows, columns) != (vocabulary + buckets, dimensions):
        raise reader.damaged(f"a matrix of {rows} x {columns} for {vocabulary + buckets} x {dimensions}")
    return Model(dimensions, shortest, longest, buckets, vocabulary, words, known)


def _vectors(reader: _Reader, model: Model, extra: list[bytes]) -> NDArray[np.float32]:
    """The vectors of ``model.words`` and then ``extra``, float32 ``(n, dimensions)``."""
    count = len(model.words) + len(extra)
    try:
        matrix = np.zeros((count, model.dimensions), dtype=np.float32)
    except MemoryError as error:
        problem = f"{count} x {model.dimensions} numbers do not fit in memory"
        raise UserError(reader.path, "", problem, "set max_words") from error
    parts = _parts(model, extra)
    summed = np.zeros(count, dtype=np.float32)
    last = int(parts[-1] >> _SHIFT) + 1 if len(parts) else 0
    with progress(total=last, what=f"rows of {Path(reader.path).name}", unit="rows") as bar:
        size = max(1, _CHUNK // (4 * model.dimensions))
        for first in range(0, last, size):
            height = min(size, last - first)
            data = reader.take(4 * model.dimensions * height)
            block = np.frombuffer(data, dtype="<f4").reshape(height, model.dimensions)
            edges = np.array([first, first + len(block)], dtype=np.uint64) << _SHIFT
            begin, end = np.searchsorted(parts, edges).tolist()
            for start in range(begin, end, _PAIRS):
                part = parts[start : min(start + _PAIRS, end)]
                rows, targets = (part >> _SHIFT).astype(np.int64) - first, (part & _LOW).astype(np.int64)
                _add(matrix, targets, block, rows)
                np.add.at(summed, targets, 1)
            bar.update(len(block))
    for start in range(0, count, _WORDS):
        matrix[start : start + _WORDS] /= np.maximum(summed[start : start + _WORDS, None], 1)
    return matrix


def _parts(model: Model, extra: list[bytes]) -> NDArray[np.uint64]:
    """Which matrix rows make up which word: number of the row in the upper half, of the word in the lower; rising."""
    own = np.array(list(range(len(model.words))) + [model.known.get(word, -1) for word in extra])
    known = np.flatnonzero(own >= 0)
    parts = [(own[known].astype(np.uint64) << _SHIFT) | known.astype(np.uint64)]
    if model.longest > 0 and model.buckets > 0:
        words = model.words + extra
        for start in range(0, len(words), _WORDS):
            some = [b"" if word == _END_OF_SENTENCE else b"<" + word + b">" for word in words[start : start + _WORDS]]
            word, hashes = ngram_hashes(some, model.shortest, model.longest)
            rows = (model.vocabulary + hashes % model.buckets).astype(np.uint64)
            parts.append((rows << _SHIFT) | (word + start).astype(np.uint64))
    together = np.concatenate(parts)
    together.sort()
    return together


def ngram_hashes(words: list[bytes], shortest: int, longest: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The n-grams of ``shortest`` to ``longest`` characters of words that carry their ``<`` and ``>`` already.

    Hashes are 32-bit FNV-1a over the bytes of the n-gram, each byte sign-extended first. Single characters at either
    end of a word are no n-grams. Returns the place of the word of each n-gram, and its hash, both shape ``(m,)``.
    """
    text = np.frombuffer(b"".join(words), dtype=np.uint8)
    lengths = np.array([len(word) for word in words], dtype=np.int64)
    ends = np.cumsum(lengths)
    starts = np.append((text & 0xC0) != 0x80, True)
    signed = text.view(np.int8).astype(np.int32).view(np.uint32)
    begin = np.flatnonzero(starts[:-1])
    word = np.searchsorted(ends, begin, side="right")
    first, end = begin == (ends - lengths)[word], ends[word]
    hashes, at, length = np.full(len(begin), _OFFSET), begin.copy(), np.zeros(len(begin), dtype=np.int64)
    found = [np.empty((2, 0), dtype=np.int64)]
    while len(at):
        hashes = (hashes ^ signed[at]) * _PRIME
        at = at + 1
        closed = (at == end) | starts[at]
        length = length + closed
        alone = (length == 1) & (first | (at == end))
        take = closed & (length >= shortest) & ~alone
        found.append(np.stack([word[take], hashes[take].astype(np.int64)]))
        going = (at < end) & (length < longest)
        at, end, word, hashes, length, first = (x[going] for x in (at, end, word, hashes, length, first))
    together = np.concatenate(found, axis=1)
    return together[0], together[1]


def _add(
    matrix: NDArray[np.float32], targets: NDArray[np.int64], block: NDArray[np.float32], rows: NDArray[np.int64]
) -> None:
    order = np.argsort(targets, kind="stable")
    ordered = targets[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    matrix[ordered[starts]] += np.add.reduceat(block[rows[order]], starts, axis=0)


def _give(sink: RowSink, words: list[bytes], matrix: NDArray[np.float32]) -> None:
    for start in range(0, len(words), _WORDS):
        if sink.wanted > 0:
            sink.take(words[start : start + _WORDS], matrix[start : start + _WORDS])
