"""Embeddings of the pieces that a vocabulary is extended by, from those it has."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from switchrank.formats.tables import LEXICON, read_table
from switchrank.train.embeddings import Matrix, piece_vectors, translated_rows
from switchrank.train.new_pieces import INNER, Extended

Way = Literal["copy", "lexicon", "vectors", "parts"]
Found = tuple[Matrix, NDArray[np.bool_]]
"""Rows of all pieces, old and new, float32 ``(n, d)``, and a mask of those that have one."""
_BLOCK = 2048
_NEIGHBOURS, _TEMPERATURE = 10, 0.1
"""As WECHSEL has them by default."""


@dataclass(frozen=True)
class Materials:
    """What embeddings of new pieces are made from.

    Attributes:
        extended: the vocabulary with the new pieces.
        rows: the embeddings of the old ones, ``(m, d)``; the new ones are numbered from m on.
        plain: those of the new ones that are old ones but for accents.
        lexicons: lexicons from the source language, by target language.
        vectors: aligned word vectors by language, that of the ``source`` language among them.
    """

    extended: Extended
    rows: Matrix
    plain: frozenset[str]
    lexicons: Mapping[str, str | Path]
    vectors: Mapping[str, str | Path]
    source: str

    @cached_property
    def pieces(self) -> list[str]:
        return list(self.extended.added)

    @cached_property
    def _after(self) -> Tokenizer:
        return self.extended.after()

    def _cut(self, words: Sequence[str]) -> list[list[int]]:
        """Words in old and new pieces."""
        return [one.ids for one in self._after.encode_batch_fast(list(words), add_special_tokens=False)]

    def _cut_before(self, words: Sequence[str]) -> list[list[int]]:
        """Words in old pieces, without unknown ones."""
        cut = self.extended.before.encode_batch_fast(list(words), add_special_tokens=False)
        return [[number for number in one.ids if number != self.extended.unknown] for one in cut]

    @property
    def _all(self) -> int:
        return len(self.rows) + len(self.pieces)

    def by(self, way: Way) -> Found:
        """The embeddings that a way finds."""
        ways = {"copy": self.of_copies, "lexicon": self.of_lexicon, "vectors": self.of_vectors, "parts": self.of_parts}
        return ways[way]()

    def _from(self, sets: Sequence[Sequence[int]]) -> Found:
        """Means of the rows of old pieces, a set of them for each new one, which may be empty."""
        made, found = np.zeros((self._all, self.rows.shape[1]), np.float32), np.zeros(self._all, bool)
        for number, ids in enumerate(sets, len(self.rows)):
            if ids:
                made[number], found[number] = self.rows[list(ids)].mean(axis=0), True
        return made, found

    def of_copies(self) -> Found:
        """A piece that is there in another form: case, compatible characters, at the other place in a word."""
        return self._from([self._copied(piece) for piece in self.pieces])

    def _copied(self, piece: str) -> list[int]:
        old = self.extended.old
        return [old[form] for form in _forms(piece, piece in self.plain) if form in old][:1]

    def of_lexicon(self) -> Found:
        """The mean over the pieces of a word's translations, of rank r by 1 / r, as in a transplant."""
        made, found = np.zeros((self._all, self.rows.shape[1]), np.float32), np.zeros(self._all, bool)
        for _, path in sorted(self.lexicons.items()):
            frame = read_table(path, LEXICON)
            sources, targets = self._cut_before(frame["source"].to_list()), self._cut(frame["target"].to_list())
            known = [place for place, ids in enumerate(sources) if ids]
            if not known:
                continue
            sources, targets = [sources[place] for place in known], [targets[place] for place in known]
            rows, there = translated_rows(self.rows, sources, targets, frame["rank"].to_numpy()[known], self._all)
            new = there & ~found
            made[new] = rows[new]
            found |= there
        return made, found

    def of_vectors(self) -> Found:
        """As WECHSEL (arXiv 2112.06598): the mean over the nearest old pieces, weighted by a softmax of the cosines.

        A piece's vector is that of its word or the mean over words that it is part of (:func:`.piece_vectors`).
        """
        count = len(self.rows)
        before, has = piece_vectors({self.source: self.vectors[self.source]}, self._cut_before, count)
        others = {language: path for language, path in self.vectors.items() if language != self.source}
        after, found = piece_vectors(others, self._cut, self._all)
        found[:count] = False
        found &= has.any()
        olds, made = np.flatnonzero(has), np.zeros((self._all, self.rows.shape[1]), np.float32)
        most = min(_NEIGHBOURS, len(olds))
        for block in np.array_split(np.flatnonzero(found), max(1, found.sum() // _BLOCK)):
            cosines = after[block] @ before[olds].T
            near = np.argpartition(-cosines, most - 1, axis=1)[:, :most]
            weights = np.exp(np.take_along_axis(cosines, near, axis=1) / _TEMPERATURE)
            weights /= weights.sum(axis=1, keepdims=True)
            made[block] = np.einsum("nk,nkd->nd", weights, self.rows[olds[near]])
        return made, found

    def of_parts(self) -> Found:
        """The mean over the old pieces that the letters of a new one are cut into."""
        return self._from(self._cut_before([piece.removeprefix(INNER) for piece in self.pieces]))


def _forms(piece: str, plain: bool) -> Iterator[str]:
    """Other forms of a piece, the likest first; without accents too where it is ``plain``."""
    inner, text = piece.startswith(INNER) and piece != INNER, piece.removeprefix(INNER)
    letters = [text, unicodedata.normalize("NFKC", text)]
    letters += [without_accents(text)] if plain else []
    cases = [form for one in letters for form in (one, one.lower(), one.title(), one.upper())]
    for marked in (inner, not inner):
        yield from (INNER + form if marked else form for form in cases)


def without_accents(text: str) -> str:
    """A text without the marks on its letters."""
    letters = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(one for one in letters if unicodedata.category(one) != "Mn"))
