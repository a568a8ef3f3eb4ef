"""Texts as piece numbers: every distinct word and gap is stored once, and a text is the row of their numbers.

Splitting at word boundaries is the slow step, so it runs once per distinct string between two spaces. A space is
always a word boundary (Unicode Standard Annex 29, WB999) unless a combining or format character follows it (WB4);
texts that hold such a place are split whole.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import regex

from switchrank.corpus.arrow import arrow_strings, numpy_numbers
from switchrank.formats.tables import KEYS
from switchrank.text.words import Splitter, key, split_words

GLUED = regex.compile(r" [\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]")
"""Where a space is no word boundary."""
_CACHED_CHUNKS = 1 << 20

_Chunk = tuple[str, list[int], str]
"""The gap before the first word, pieces from the first word to the last, the gap up to the next chunk, with its space.

A chunk without words is a gap before no pieces."""


class _Numbers(dict[str, int]):
    """Numbers strings by first appearance."""

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        return number


class PieceTable:
    """Numbers the words and gaps of texts as they are first met; equal texts in equal order give equal numbers.

    Args:
        split: the word splitter; it must cut at every space that no combining or format character follows, unless
        whole: texts are split whole, for a splitter that looks further than a space.
    """

    CACHED_LENGTH = 40
    """Characters of the longest stretch between spaces whose words are remembered."""

    def __init__(self, split: Splitter = split_words, *, whole: bool = False) -> None:
        self._split, self._whole = split, whole
        self._numbers = _Numbers()
        self._words: set[int] = set()
        self._chunks: dict[str, _Chunk] = {}

    def encode(self, text: str) -> list[int]:
        """The pieces of ``text``, alternating gap, word, gap, ..., gap; joined they are ``text``."""
        numbers, chunks = self._numbers, self._chunks
        pieces: list[int] = []
        gap = ""
        for chunk in self._chunks_of(text):
            before, body, after = chunks.get(chunk) or self._learn(chunk)
            if body:
                pieces.append(numbers[gap + before if before else gap])
                pieces += body
                gap = after
            else:
                gap += before + " "
        pieces.append(numbers[gap[:-1]])
        return pieces

    def encode_all(self, texts: pl.Series) -> pl.Series:
        """The pieces of each text, as lists of uint32; see :meth:`encode`."""
        return pl.Series([self.encode(text) for text in texts], dtype=pl.List(pl.UInt32))

    def _chunks_of(self, text: str) -> list[str]:
        glued = self._whole or (not text.isascii() and GLUED.search(text))
        return [text] if glued else text.split(" ")

    def _learn(self, chunk: str) -> _Chunk:
        words, gaps = self._split(chunk)
        body: list[int] = []
        for number, word in enumerate(words):
            if number:
                body.append(self._numbers[gaps[number]])
            piece = self._numbers[word]
            self._words.add(piece)
            body.append(piece)
        learnt = (gaps[0], body, gaps[-1] + " ")
        if len(self._chunks) >= _CACHED_CHUNKS:
            self._chunks.clear()
        if len(chunk) <= self.CACHED_LENGTH:
            self._chunks[chunk] = learnt
        return learnt

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
