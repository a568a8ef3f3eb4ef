"""Texts cut into words and gaps: every distinct one is stored once, and a text is the row of their numbers.

With the default splitter many texts are cut at once by array arithmetic on their bytes. A space is always a word
boundary (Unicode Standard Annex 29, WB999) unless a combining or format character follows it (WB4); texts that hold
such a place are split whole. In ASCII the word boundaries of the annex come down to four kinds of characters; a stretch
between two spaces that holds anything else is cut by :func:`switchrank.text.words.split_words`, each distinct one once.
"""

import string
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import accumulate, chain
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import regex
from numpy.typing import NDArray

from switchrank.core.progress import progress
from switchrank.core.ragged import Numbers, spans
from switchrank.formats.streams import portions
from switchrank.formats.tables import KEYS
from switchrank.text.words import Split, Splitter, key, split_words

_GLUED = regex.compile(r" [\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]")
"""Where a space is no word boundary."""
_CACHED_LENGTH = 40
"""Characters of the longest stretch between spaces whose words are remembered."""
_CACHED_SPANS = 1 << 18
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


class PieceTable:
    """Numbers the words and gaps of texts as they are first met; ``split`` cuts one text after the other."""

    def __init__(self, split: Splitter = split_words) -> None:
        self._split = split
        self._numbers: defaultdict[str, int] = defaultdict()
        self._numbers.default_factory = self._numbers.__len__
        self._words: set[int] = set()

    def encode_all(self, texts: pl.Series) -> pl.Series:
        """The pieces of each text, gap, word, gap, ..., gap, as lists of uint32; joined they are the text."""
        rows = []
        for words, gaps in map(self._split, texts):
            pieces = [*chain.from_iterable(zip(gaps, words, strict=False)), gaps[-1]]
            rows.append([self._numbers[piece] for piece in pieces])
            self._words.update(rows[-1][1::2])
        return pl.Series(rows, dtype=pl.List(pl.UInt32))

    def tables(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The tables ``PIECES`` and ``KEYS`` of all texts so far; keys are numbered in the order of the pieces."""
        pieces = pl.Series("piece", list(self._numbers), dtype=pl.String)
        at = np.fromiter(sorted(self._words), dtype=np.int64, count=len(self._words))
        words = pieces.gather(at)
        beyond_ascii = np.flatnonzero((words.str.len_bytes() != words.str.len_chars()).to_numpy())
        folded = words.str.to_lowercase()  # the key of what is ASCII
        folded = folded.scatter(beyond_ascii, [key(word) for word in words.gather(beyond_ascii)])
        coded = arrow_strings(folded).dictionary_encode()
        is_word = np.zeros(len(pieces), dtype=bool)
        is_word[at] = True
        of_piece = np.zeros(len(pieces), dtype=np.uint32)
        of_piece[at] = numpy_numbers(coded.indices)
        number = pl.when(pl.col("word")).then(pl.Series("key", of_piece)).cast(pl.UInt32)
        table = pl.DataFrame({"piece": pieces, "word": is_word}).select("piece", key=number, word="word")
        return table, pl.DataFrame({"key": coded.dictionary.to_pylist()}, schema=KEYS)


class _Block:
    """Texts end to end, a line end behind each: their ``bytes``, and where each text starts (``bounds``).

    ``stops`` is true where a stretch ends: at spaces and at the line end behind a text. ``text_bytes`` and
    ``text_bounds`` are the same texts without the line ends between them.
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


def _bounds(strings: pa.LargeStringArray) -> Numbers:
    bounds: Numbers = np.frombuffer(strings.buffers()[1], dtype=np.int64)[: len(strings) + 1]
    return bounds


def _distinct(data: NDArray[np.uint8], begins: Numbers, ends: Numbers) -> tuple[list[str], NDArray[np.int32]]:
    """The distinct strings between some bounds, and which one each is."""
    bounds = np.column_stack([begins, ends]).ravel()
    both = pa.LargeStringArray.from_buffers(len(bounds) - 1, pa.py_buffer(bounds), pa.py_buffer(data))
    coded = both.take(arrow_numbers(np.arange(0, len(bounds), 2))).dictionary_encode()
    return coded.dictionary.to_pylist(), numpy_numbers(coded.indices)


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
        is_word = np.zeros(len(coded.dictionary), dtype=bool)
        is_word[codes[at]] = True
        numbers = np.array([self._numbers[piece] for piece in coded.dictionary.to_pylist()], dtype=np.uint32)
        self._words.update(numbers[is_word].tolist())
        rows = pa.LargeListArray.from_arrays(arrow_numbers(np.append(first, len(codes))), arrow_numbers(numbers[codes]))
        return pl.Series(pl.from_arrow(rows), dtype=pl.List(pl.UInt32))

    def _words_of(self, block: _Block) -> _Spans:
        inside = block.kind - 1 < _UNDERSCORE  # letters, digits and underscores; the byte of _OTHER wraps around
        middle = np.flatnonzero((block.kind >= _BETWEEN_LETTERS) & (block.kind <= _BETWEEN_EITHER))
        kind, before, after = block.kind[middle], block.kind[middle - 1], block.kind[middle + 1]
        letters, digits = (before == _LETTER) & (after == _LETTER), (before == _DIGIT) & (after == _DIGIT)
        within = (letters & (kind != _BETWEEN_DIGITS)) | (digits & (kind != _BETWEEN_LETTERS))  # WB6, 7, 11, 12
        inside[middle[within]] = True
        far = self._far_words(block, inside)
        edges = np.flatnonzero(np.diff(inside, prepend=False))
        starts, ends = edges[::2], edges[1::2]
        bare = [
            number
            for number in np.flatnonzero(block.kind[starts] == _UNDERSCORE).tolist()
            if np.all(block.kind[starts[number] : ends[number]] == _UNDERSCORE)
        ]
        starts, ends = np.delete(starts, bare), np.delete(ends, bare)
        pairs = zip((starts, ends), far, strict=True)
        return _Spans(*(np.insert(places, np.searchsorted(places, more), more) for places, more in pairs))

    def _far_words(self, block: _Block, inside: NDArray[np.bool_]) -> _Spans:
        """The words of all stretches that are not ASCII; they are struck out of ``inside``."""
        far = np.flatnonzero(block.kind == _FAR)
        if not len(far):
            return _Spans(far, far)
        stops = np.flatnonzero(block.stops)
        stretch = np.unique(np.searchsorted(stops, far))
        begins, ends = np.append(0, stops + 1)[stretch], stops[stretch]
        strings, codes = _distinct(block.bytes, begins, ends)
        glued = np.array([_GLUED.match(f" {text}") is not None for text in strings], dtype=bool)[codes]
        behind_space = block.bytes[begins - 1] == _SPACE
        whole = np.unique(np.searchsorted(block.bounds, begins[glued & behind_space], side="right") - 1)
        if len(whole):
            first, last = block.bounds[whole], block.bounds[whole + 1] - 1
            block.stops[spans(first, last - first)] = False
            lone = ~np.isin(np.searchsorted(block.bounds, begins, side="right") - 1, whole)
            begins, ends = np.sort(np.append(begins[lone], first)), np.sort(np.append(ends[lone], last))
            strings, codes = _distinct(block.bytes, begins, ends)
        inside[spans(begins, ends - begins)] = False
        if len(self._spans) > _CACHED_SPANS:
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
        if len(text) <= _CACHED_LENGTH:
            self._spans[text] = learnt
        return learnt


# Columns are handed between Polars, NumPy and Arrow without a copy. Arrow's own conversions (``pyarrow.array``,
# ``Array.to_numpy``) load pandas when first called, which takes longer than switching a small corpus.


def arrow_strings(strings: pl.Series) -> pa.LargeStringArray:
    """Strings end to end in one buffer, to be gathered from."""
    return strings.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())


def arrow_numbers(numbers: NDArray[Any]) -> pa.Array:
    """Whole numbers as an Arrow array over the same memory."""
    buffer = pa.py_buffer(np.ascontiguousarray(numbers))
    return pa.Array.from_buffers(pa.from_numpy_dtype(numbers.dtype), len(numbers), [None, buffer])


def numpy_numbers(numbers: pa.Array) -> NDArray[Any]:
    """Whole numbers without nulls as a NumPy array over the same memory, not to be written to."""
    values: NDArray[Any] = np.frombuffer(numbers.buffers()[1], dtype=numbers.type.to_pandas_dtype())
    return values[numbers.offset : numbers.offset + len(numbers)]


def split_treebank(text: str) -> Split:
    """Compatibility: the tokens of a whole text by the Penn Treebank rules of NLTK; all gaps become single spaces.

    Punctuation marks are words too, and text is joined again by :func:`detokenise`, so it does not come out as it went
    in, even where nothing was switched (Litschko et al. 2023, ``codeswitch_clwe.py``).
    """
    tokens = _treebank("Tokenizer").tokenize(text)
    return tokens, ["", *[" "] * (len(tokens) - 1), ""] if tokens else [""]


def detokenise(texts: pl.Series) -> pl.Series:
    """Texts whose tokens are separated by spaces, joined as NLTK's Treebank detokeniser does it."""
    return pl.Series(texts.name, [_treebank("Detokenizer").detokenize([text]) for text in texts], dtype=pl.String)


@cache
def _treebank(kind: str) -> Any:
    from nltk.tokenize import treebank

    return getattr(treebank, f"TreebankWord{kind}")()


TOKEN_FILES = ("tokens.parquet", "pieces.parquet", "keys.parquet")
"""The files of a token table's folder."""
_PART_BYTES = 1 << 22
"""Bytes of text that are cut at a time, so that long texts need no more memory than short ones."""


def encoded(
    table: PieceTable, blocks: Iterable[pl.DataFrame], rows: int, what: str | None
) -> Iterator[tuple[pl.DataFrame, pl.Series]]:
    """Yield some of the ``rows`` rows of ``blocks`` at a time, with the pieces of their column ``text``."""
    with progress(total=rows, what=what, unit="texts") as bar:
        for block in blocks:
            for part in portions(block, block["text"].str.len_bytes().cast(pl.Int64).to_numpy(), _PART_BYTES):
                yield part, table.encode_all(part["text"])
                bar.update(part.height)
