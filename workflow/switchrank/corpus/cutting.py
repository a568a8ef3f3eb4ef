"""Many texts cut into words at once, by array arithmetic on their bytes.

What :class:`switchrank.corpus.pieces.PieceTable` does with the default splitter, number for number, without a step per
word. In ASCII the word boundaries of Unicode Standard Annex 29 come down to four kinds of characters; a stretch between
two spaces that holds anything else is cut by :func:`switchrank.text.words.split_words`, each distinct one once.
"""

from __future__ import annotations

import string
from itertools import accumulate, repeat
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from switchrank.core.ragged import Numbers, spans
from switchrank.corpus.arrow import arrow_numbers, arrow_strings, numpy_numbers
from switchrank.corpus.pieces import GLUED, PieceTable
from switchrank.text.words import split_words

_OTHER, _LETTER, _DIGIT, _UNDERSCORE, _BETWEEN_LETTERS, _BETWEEN_DIGITS, _BETWEEN_EITHER, _FAR = range(8)
_KIND = np.full(256, _OTHER, dtype=np.uint8)
for _characters, _kind in (
    (string.ascii_letters, _LETTER),
    (string.digits, _DIGIT),
    ("_", _UNDERSCORE),
    (":", _BETWEEN_LETTERS),
    (",;", _BETWEEN_DIGITS),
    (".'", _BETWEEN_EITHER),
):
    _KIND[list(_characters.encode())] = _kind
_KIND[128:] = _FAR
_SPACE = ord(" ")
_REMEMBERED = 1 << 18


class _Spans(NamedTuple):
    """Where words are, in bytes; ascending."""

    starts: Numbers
    ends: Numbers


class ArrayPieceTable(PieceTable):
    """A :class:`PieceTable` with the default splitter that cuts many texts at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._spans: dict[str, _Spans] = {}

    def encode_all(self, texts: pl.Series) -> pl.Series:
        """See :meth:`PieceTable.encode_all`."""
        if not len(texts):
            return pl.Series([], dtype=pl.List(pl.UInt32))
        block = _Block(texts)
        words = self._words_of(block)
        per_text = np.diff(np.searchsorted(words.starts, block.bounds))
        text = np.repeat(np.arange(len(texts)), per_text)
        at = 2 * np.arange(len(text)) + 1 + text
        bounds = np.empty(2 * len(text) + len(texts) + 1, dtype=np.int64)
        first = np.cumsum(2 * per_text + 1) - (2 * per_text + 1)
        bounds[first], bounds[-1] = block.text_bounds[:-1], block.text_bounds[-1]
        bounds[at], bounds[at + 1] = words.starts - text, words.ends - text  # without the line ends between texts
        cut = pa.LargeStringArray.from_buffers(len(bounds) - 1, pa.py_buffer(bounds), block.text_bytes)
        coded = cut.dictionary_encode()
        codes = numpy_numbers(coded.indices)
        is_word = np.zeros(len(codes), dtype=bool)
        is_word[at] = True
        numbers = self._number(coded.dictionary.to_pylist(), codes, is_word, _met(at, len(codes), block, words.starts))
        rows = pa.LargeListArray.from_arrays(arrow_numbers(np.append(first, len(codes))), arrow_numbers(numbers[codes]))
        return pl.Series(pl.from_arrow(rows), dtype=pl.List(pl.UInt32))

    def _number(
        self, strings: list[str], codes: NDArray[np.int32], is_word: NDArray[np.bool_], met: Numbers
    ) -> NDArray[np.uint32]:
        """The numbers of strings; new ones are numbered by when they are ``met``."""
        numbers = np.array(list(map(self._numbers.get, strings, repeat(-1))), dtype=np.int64)
        fresh = np.flatnonzero((numbers < 0)[codes])
        when = np.full(len(strings), np.iinfo(np.int64).max)
        np.minimum.at(when, codes[fresh], met[fresh])
        names_word = np.zeros(len(strings), dtype=bool)
        names_word[codes[fresh]] = is_word[fresh]
        new = np.flatnonzero(numbers < 0)
        for code in new[np.argsort(when[new])].tolist():
            number = self._numbers[strings[code]]
            numbers[code] = number
            if names_word[code]:
                self._words.add(number)
        return numbers.astype(np.uint32)

    def _words_of(self, block: _Block) -> _Spans:
        """The words of all texts of a block."""
        inside = block.kind - 1 < _UNDERSCORE  # letters, digits and underscores; the byte of _OTHER wraps around
        _let_in_between(block, inside)
        far = self._far_words(block, inside)
        edges = np.flatnonzero(np.diff(inside, prepend=False))
        starts, ends = edges[::2], edges[1::2]
        bare = [
            number
            for number in np.flatnonzero(block.kind[starts] == _UNDERSCORE).tolist()
            if np.all(block.kind[starts[number] : ends[number]] == _UNDERSCORE)
        ]
        starts, ends = np.delete(starts, bare), np.delete(ends, bare)
        if far is None:
            return _Spans(starts, ends)
        return _Spans(_merged(starts, far.starts), _merged(ends, far.ends))

    def _far_words(self, block: _Block, inside: NDArray[np.bool_]) -> _Spans | None:
        """The words of all stretches that are not ASCII; they are struck out of ``inside``."""
        far = np.flatnonzero(block.kind == _FAR)
        if not len(far):
            return None
        stops = np.flatnonzero(block.stops)
        stretch = np.unique(np.searchsorted(stops, far))
        begins, ends = np.append(0, stops + 1)[stretch], stops[stretch]
        strings, codes = _distinct(block.bytes, begins, ends)
        glued = np.array([GLUED.match(f" {text}") is not None for text in strings], dtype=bool)[codes]
        behind_space = block.bytes[begins - 1] == _SPACE
        whole = np.unique(np.searchsorted(block.bounds, begins[glued & behind_space], side="right") - 1)
        if len(whole):
            block.join(whole)
            lone = ~np.isin(np.searchsorted(block.bounds, begins, side="right") - 1, whole)
            begins = np.append(begins[lone], block.bounds[whole])
            ends = np.append(ends[lone], block.bounds[whole + 1] - 1)
            strings, codes = _distinct(block.bytes, *(edges[np.argsort(begins)] for edges in (begins, ends)))
            begins, ends = np.sort(begins), np.sort(ends)
        inside[spans(begins, ends - begins)] = False
        if len(self._spans) > _REMEMBERED:
            self._spans.clear()
        found = [self._spans.get(text) or self._learn_spans(text) for text in strings]
        counts = np.array([len(words.starts) for words in found], dtype=np.int64)
        at = spans((np.cumsum(counts) - counts)[codes], counts[codes])
        base = np.repeat(begins, counts[codes])
        return _Spans(*(np.concatenate([words[side] for words in found])[at] + base for side in (0, 1)))

    def _learn_spans(self, text: str) -> _Spans:
        words, gaps = split_words(text)
        pieces = [piece for pair in zip(gaps, words, strict=False) for piece in pair]
        ends = np.array([0, *accumulate(len(piece.encode()) for piece in pieces)], dtype=np.int64)
        learnt = _Spans(ends[1:-1:2], ends[2::2])
        if len(text) <= self.CACHED_LENGTH:
            self._spans[text] = learnt
        return learnt


def _merged(places: Numbers, more: Numbers) -> Numbers:
    """Two ascending rows as one."""
    return np.insert(places, np.searchsorted(places, more), more)


def _let_in_between(block: _Block, inside: NDArray[np.bool_]) -> None:
    """Mark in ``inside`` the marks that are part of a word: between two letters or two digits (WB6, 7, 11, 12)."""
    middle = np.flatnonzero((block.kind >= _BETWEEN_LETTERS) & (block.kind <= _BETWEEN_EITHER))
    kind, before, after = block.kind[middle], block.kind[middle - 1], block.kind[middle + 1]
    letters, digits = (before == _LETTER) & (after == _LETTER), (before == _DIGIT) & (after == _DIGIT)
    inside[middle[(letters & (kind != _BETWEEN_DIGITS)) | (digits & (kind != _BETWEEN_LETTERS))]] = True


class _Block:
    """Texts end to end, a line end behind each.

    Attributes:
        bytes, kind: of all texts with their line ends.
        bounds: where each text starts in them; the last is their length.
        stops: where a stretch ends: at spaces and at the line end behind a text.
        text_bytes, text_bounds: the same texts without the line ends between them.
    """

    def __init__(self, texts: pl.Series) -> None:
        lines = arrow_strings(texts + "\n")
        self.bounds = _bounds(lines)
        self.bytes = np.frombuffer(lines.buffers()[2], dtype=np.uint8)[: self.bounds[-1]]
        self.kind = _KIND[self.bytes]
        self.stops = self.bytes == _SPACE
        self.stops[self.bounds[1:] - 1] = True
        plain = arrow_strings(texts)
        self.text_bounds, self.text_bytes = _bounds(plain), plain.buffers()[2]

    def join(self, texts: Numbers) -> None:
        """Let each of these texts be a single stretch."""
        begins, ends = self.bounds[texts], self.bounds[texts + 1] - 1
        self.stops[spans(begins, ends - begins)] = False


def _bounds(strings: pa.LargeStringArray) -> Numbers:
    bounds: Numbers = np.frombuffer(strings.buffers()[1], dtype=np.int64)[: len(strings) + 1]
    return bounds


def _distinct(data: NDArray[np.uint8], begins: Numbers, ends: Numbers) -> tuple[list[str], NDArray[np.int32]]:
    """The distinct strings between some bounds, and which one each is."""
    bounds = np.column_stack([begins, ends]).ravel()
    both = pa.LargeStringArray.from_buffers(len(bounds) - 1, pa.py_buffer(bounds), pa.py_buffer(data))
    coded = both.take(arrow_numbers(np.arange(0, len(bounds), 2))).dictionary_encode()
    return coded.dictionary.to_pylist(), numpy_numbers(coded.indices)


def _met(at: Numbers, pieces: int, block: _Block, starts: Numbers) -> Numbers:
    """When :meth:`PieceTable.encode` meets each piece: in order, but the gap before a stretch behind its last word."""
    met = 2 * np.arange(pieces)
    stretch = np.cumsum(block.stops, dtype=np.int32)[starts]
    leads = np.flatnonzero(np.diff(stretch, prepend=-1))
    last = np.append(leads[1:], len(starts)) - 1
    met[at[leads] - 1] = 2 * at[last[: len(leads)]] + 1
    return met
