"""Code-switching: words replaced by their translations, a block of texts at a time, without a loop over words.

BL-CS, ML-CS and Wiki-CS of Litschko, Artemova and Plank (2023, Findings of ACL, section 3) are three recipes of the
same steps: draw for every word whether it is switched and to which language, look it up, put the target in its place.
A draw is a function of (seed, side, instance, position) alone, so it does not depend on which other texts, files or
language pairs are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.corpus.counts import SideCounts
from switchrank.corpus.lexicons import Lexicon, Units, without_overlaps
from switchrank.corpus.recipe import MIXED, Recipe
from switchrank.corpus.stopwords import stopwords
from switchrank.corpus.table import Numbers, TokenTable, Words, join_pieces
from switchrank.corpus.treebank import detokenise
from switchrank.ragged import spans
from switchrank.seeds import counter_uniform, derive_seed


@dataclass(frozen=True)
class Switched:
    """Texts and their language codes; String series, one entry per instance."""

    texts: pl.Series
    languages: pl.Series


def _uniform(
    recipe: Recipe, side: str, purpose: str, *coordinates: NDArray[np.uint64] | Numbers
) -> NDArray[np.float64]:
    return counter_uniform(derive_seed(recipe.seed, purpose, side), *coordinates)


def text_languages(recipe: Recipe, side: str, instances: NDArray[np.uint64]) -> Numbers | None:
    """Per text, the number of its language (the source is the last), or None where words draw for themselves."""
    if recipe.sides[side] != MIXED or recipe.mix == "token":
        return None
    return (_uniform(recipe, side, "language", instances) * len(recipe.choices(side))).astype(np.int64)


def language_names(recipe: Recipe, side: str, drawn: Numbers | None, texts: int) -> pl.Series:
    """The language code of each of some texts, whose languages are those ``drawn``."""
    if drawn is None:
        return pl.Series([recipe.sides[side]]).new_from_index(0, texts)
    return pl.Series(recipe.choices(side)).gather(drawn)


class Switcher:
    """Switches the texts of one side of a corpus.

    Args:
        table: the side's texts.
        side: ``query`` or ``passage``.
        recipe: the corpus recipe.
        lexicons: language to path, at least the languages of this side.

    Attributes:
        counts: of all texts switched so far.
        covered: per language, how many keys of the table its lexicon knows.

    Raises:
        UserError: a lexicon cannot be read.
    """

    def __init__(self, table: TokenTable, side: str, recipe: Recipe, lexicons: Mapping[str, str | Path]) -> None:
        self._table, self._side, self._recipe = table, side, recipe
        self._choices = recipe.choices(side)
        self._foreign = [language for language in self._choices if language != recipe.source]
        stop = stopwords(recipe.source)
        left_out = stop if recipe.drop_stopwords else frozenset()
        self._lexicons = [
            Lexicon(lexicons[language], table.keys, recipe.translations, left_out) for language in self._foreign
        ]
        self.covered = dict(zip(self._foreign, (lexicon.covered for lexicon in self._lexicons), strict=True))
        self._is_content = ~table.keys.is_in(list(stop)).to_numpy()
        self._empty = len(table.strings)
        targets = [lexicon.targets for lexicon in self._lexicons]
        self._strings = pl.concat([table.strings, pl.Series([""]), *targets]).rechunk()
        self._first_target = self._empty + 1 + np.cumsum([0, *map(len, targets)])
        self.counts = SideCounts(tuple(self._foreign))

    def switch(self, texts: Numbers, instances: NDArray[np.uint64]) -> Switched:
        """Switch texts.

        Args:
            texts: numbers of texts of the table, one per instance.
            instances: the instances' numbers, which key the draws.
        """
        words = self._table.words(texts)
        drawn = text_languages(self._recipe, self._side, instances)
        language = self._draw_word_languages(drawn, words, instances)
        pieces = words.pieces.copy()
        came_from = np.full(len(words.key), -1, dtype=np.int8)
        if np.any(language >= 0):
            units, unit_language = self._chosen_units(words, language)
            self._replace(pieces, words, units, unit_language, instances)
            came_from[_spread(units)] = np.repeat(unit_language, units.length)
        known = [lexicon.single[words.key] for lexicon in self._lexicons]
        self.counts.add(len(texts), self._is_content[words.key], came_from, known)
        switched = join_pieces(self._strings, pieces, words.pieces_per_text)
        if self._recipe.treebank and self._foreign:
            switched = detokenise(switched)
        return Switched(switched, language_names(self._recipe, self._side, drawn, len(texts)))

    def _uniform(self, purpose: str, *coordinates: NDArray[np.uint64] | Numbers) -> NDArray[np.float64]:
        return _uniform(self._recipe, self._side, purpose, *coordinates)

    def _draw_word_languages(self, drawn: Numbers | None, words: Words, instances: NDArray[np.uint64]) -> Numbers:
        """Per word, the number of the language it is to be switched to, or -1."""
        language = np.full(len(words.key), -1)
        if not self._foreign or not self._recipe.p:
            return language
        instance = instances[words.text]
        chosen = np.flatnonzero(self._uniform("switch", instance, words.position) < self._recipe.p)
        if drawn is not None:
            language[chosen] = drawn[words.text[chosen]]
        elif len(self._choices) == 1:
            language[chosen] = 0
        else:
            u = self._uniform("language", instance[chosen], words.position[chosen])
            language[chosen] = (u * len(self._choices)).astype(np.int64)
        language[language == len(self._foreign)] = -1
        return language

    def _chosen_units(self, words: Words, language: Numbers) -> tuple[Units, Numbers]:
        """The units to replace, by start, and the language of each.

        What a lexicon would replace in a text does not depend on the draws; a unit is replaced when its first word
        is to be switched to that language. Units of different languages may overlap then, and longer ones go first.
        """
        parts = []
        for number, lexicon in enumerate(self._lexicons):
            wanted = np.flatnonzero(language == number)
            if not lexicon.has_phrases:
                parts.append(lexicon.units(words, wanted))
                continue
            texts = np.zeros(len(words.pieces_per_text), dtype=bool)
            texts[words.text[wanted]] = True
            units = lexicon.units(words, np.flatnonzero(texts[words.text]))
            parts.append(units.take(language[units.start] == number))
        units = Units.concatenate(parts)
        if any(lexicon.has_phrases for lexicon in self._lexicons):
            units = without_overlaps(units, len(words.key))
        return units, language[units.start]

    def _replace(
        self,
        pieces: NDArray[np.uint32],
        words: Words,
        units: Units,
        unit_language: Numbers,
        instances: NDArray[np.uint64],
    ) -> None:
        target = units.target + self._first_target[unit_language]
        if self._recipe.translations > 1:
            instance, position = instances[words.text[units.start]], words.position[units.start]
            target += (self._uniform("translation", instance, position) * units.choices).astype(np.int64)
        phrases = units.take(units.length > 1)
        inner = np.setdiff1d(_spread(phrases), phrases.start, assume_unique=True)
        pieces[words.at[inner]] = self._empty
        pieces[words.at[inner] - 1] = self._empty
        pieces[words.at[units.start]] = target


def _spread(units: Units) -> Numbers:
    """The numbers of all words of the units, unit by unit."""
    return spans(units.start, units.length)
