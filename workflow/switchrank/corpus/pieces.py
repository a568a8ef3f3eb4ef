"""Texts as piece numbers: every distinct word and gap is stored once, and a text is the row of their numbers.

Splitting at word boundaries is the slow step, so it runs once per distinct string between two spaces. A space is
always a word boundary (Unicode Standard Annex 29, WB999) unless a combining or format character follows it (WB4);
texts that hold such a place are split whole.
"""

from __future__ import annotations

import polars as pl
import regex

from switchrank.formats.tables import KEYS, PIECES
from switchrank.words import Splitter, key, split_words

_GLUED = regex.compile(r" [\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]")
_CACHED_LENGTH = 40
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

    def _chunks_of(self, text: str) -> list[str]:
        glued = self._whole or (not text.isascii() and _GLUED.search(text))
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
        if len(chunk) <= _CACHED_LENGTH:
            self._chunks[chunk] = learnt
        return learnt

    def tables(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The tables ``PIECES`` and ``KEYS`` of all texts so far; keys are numbered in the order of the pieces."""
        keys = _Numbers()
        of_piece = [keys[key(piece)] if number in self._words else None for piece, number in self._numbers.items()]
        is_word = [number is not None for number in of_piece]
        pieces = {"piece": list(self._numbers), "key": of_piece, "word": is_word}
        return pl.DataFrame(pieces, schema=PIECES), pl.DataFrame({"key": list(keys)}, schema=KEYS)
