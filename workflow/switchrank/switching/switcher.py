"""Code-switching: words replaced by their translations, a block of texts at a time, without a loop over words.

BL-CS, ML-CS and Wiki-CS of Litschko, Artemova and Plank (2023, Findings of ACL, section 3) are three recipes of the
same steps: draw for every word whether it is switched and to which language, look it up, put the target in its place.
A draw is a function of (seed, side, instance, position) alone, whatever other texts or language pairs are made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from switchrank.core.ragged import Numbers, spans
from switchrank.core.seeds import counter_state, counter_uniform, derive_seed, uniform_after
from switchrank.switching.pieces import arrow_strings, detokenise
from switchrank.switching.recipe import MIXED, Recipe
from switchrank.switching.table import Lexicon, TokenTable, Units, Words, join_pieces, without_overlaps
from switchrank.text.stop_words import stopwords


def side_report(languages: Sequence[str], totals: Sequence[int], counts: Numbers) -> dict[str, Any]:
    """How much of one side was switched, and could have been, as plain numbers.

    ``totals`` are its texts, words and content words: those that are not stop words. ``counts`` (int64, one column per
    language that words may come from) are the words switched, the content words among them, and the content words that
    its lexicon translates, switched or not.
    """
    texts, tokens, content_tokens = totals
    names = ("switched", "content_switched", "covered")
    switched, content_switched, _ = counts.sum(axis=1).tolist()
    return {
        "texts": texts,
        "tokens": tokens,
        "switched": switched,
        "content_tokens": content_tokens,
        "content_switched": content_switched,
        "languages": {
            language: dict(zip(names, numbers, strict=True))
            for language, numbers in zip(languages, counts.T.tolist(), strict=True)
        },
    }


def text_languages(recipe: Recipe, side: str, instances: NDArray[np.uint64]) -> Numbers | None:
    """Per text, the number of its language (the source is the last), or None where words draw for themselves."""
    if recipe.sides[side] != MIXED or recipe.mix == "token":
        return None
    u = counter_uniform(derive_seed(recipe.seed, "language", side), instances)
    return (u * len(recipe.choices(side))).astype(np.int64)


def language_names(recipe: Recipe, side: str, instances: NDArray[np.uint64]) -> pl.Series:
    """The language code of the text of each instance."""
    drawn = text_languages(recipe, side, instances)
    if drawn is None:
        return pl.Series([recipe.sides[side]]).new_from_index(0, len(instances))
    return pl.Series(recipe.choices(side)).gather(drawn)


class Switcher:
    """Switches the texts of one side of a corpus; several threads may switch blocks of texts at the same time.

    ``sources`` holds :func:`switchrank.switching.table.read_sources` of each language's lexicon, ``covered`` how many
    keys of the table that lexicon knows.
    """

    def __init__(self, table: TokenTable, side: str, recipe: Recipe, sources: Mapping[str, pl.DataFrame]) -> None:
        self._table, self._side, self._recipe = table, side, recipe
        self._choices = recipe.choices(side)
        self._foreign = [language for language in self._choices if language != recipe.source]
        stop = stopwords(recipe.source)
        left_out = stop if recipe.drop_stopwords else frozenset()
        keys, self._key_of_piece = _keys_that_matter(table, [sources[language] for language in self._foreign], stop)
        self._lexicons = [Lexicon(sources[language], keys, left_out) for language in self._foreign]
        self.covered = dict(zip(self._foreign, (lexicon.covered for lexicon in self._lexicons), strict=True))
        self._is_content = ~keys.is_in(list(stop)).to_numpy()
        self._empty = len(table.strings)
        self._space = self._empty + 1
        targets = [arrow_strings(lexicon.targets) for lexicon in self._lexicons]
        self._strings = pa.concat_arrays([table.strings, arrow_strings(pl.Series(["", " "])), *targets])
        self._first_target = self._space + 1 + np.cumsum([0, *map(len, targets)])
        none = np.empty(0, dtype=np.int32)  # all languages end to end, and small, to stay in the processor's cache
        self._single = np.concatenate([none, *(lexicon.target.astype(np.int32) for lexicon in self._lexicons)])
        self._single_choices = np.concatenate([none, *(lexicon.choices for lexicon in self._lexicons)])
        self._lock = Lock()
        self._texts = 0
        self._seen = np.zeros(len(keys), dtype=np.int64)
        self._switched = np.zeros((len(self._foreign), 2), dtype=np.int64)

    def report(self) -> dict[str, Any]:
        """What was switched so far; see :func:`side_report`."""
        content = np.where(self._is_content, self._seen, 0)
        choices = self._single_choices.reshape(len(self._foreign), len(self._seen))
        covered = (choices > 0).astype(np.int64) @ content
        counts = np.stack([self._switched.sum(axis=1), self._switched[:, 1], covered])
        return side_report(self._foreign, [self._texts, int(self._seen.sum()), int(content.sum())], counts)

    def switch(self, texts: Numbers, instances: NDArray[np.uint64]) -> pl.Series:
        """Switch the texts with these numbers, one per instance; the numbers of ``instances`` key the draws."""
        words = self._table.words(texts, self._key_of_piece)
        drawn = text_languages(self._recipe, self._side, instances)
        chosen, language = self._drawn_words(drawn, words, instances)
        units, language = self._units(words, chosen, language)
        self._count(words, units, language)
        self._replace(words, units, instances)
        switched = join_pieces(self._strings, words.pieces, 2 * words.per_text + 1)
        return detokenise(switched) if self._recipe.treebank and self._foreign else switched

    def _count(self, words: Words, units: Units, language: Numbers) -> None:
        seen = np.bincount(words.key, minlength=len(self._seen))
        is_content = self._is_content[words.key[spans(units.start, units.length)]]
        switched = np.bincount(2 * np.repeat(language, units.length) + is_content, minlength=self._switched.size)
        with self._lock:
            self._texts += len(words.per_text)
            self._seen += seen
            self._switched += switched.reshape(self._switched.shape)

    def _drawn_words(
        self, drawn: Numbers | None, words: Words, instances: NDArray[np.uint64]
    ) -> tuple[Numbers, Numbers]:
        """The numbers of the words that are to be switched, ascending, and of the language of each."""
        if not self._foreign or not self._recipe.p:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        u = uniform_after(np.repeat(self._state("switch", instances), words.per_text), words.position)
        chosen = np.flatnonzero(u < self._recipe.p)
        if drawn is not None:
            language = drawn[words.text[chosen]]
        elif len(self._choices) == 1:
            language = np.zeros_like(chosen)
        else:
            u = self._uniform("language", instances, words, chosen)
            language = (u * len(self._choices)).astype(np.int64)
        if len(self._choices) > len(self._foreign):
            foreign = language < len(self._foreign)
            chosen, language = chosen[foreign], language[foreign]
        return chosen, language

    def _state(self, purpose: str, instances: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return counter_state(derive_seed(self._recipe.seed, purpose, self._side), instances)

    def _uniform(
        self, purpose: str, instances: NDArray[np.uint64], words: Words, which: Numbers
    ) -> NDArray[np.float64]:
        return uniform_after(self._state(purpose, instances)[words.text[which]], words.position[which])

    def _units(self, words: Words, chosen: Numbers, language: Numbers) -> tuple[Units, Numbers]:
        """The units to replace, by start, and the language of each; their ``target`` numbers all strings.

        What a lexicon would replace in a text does not depend on the draws; a unit is replaced when its first word
        is to be switched to that language. Units of different languages may overlap then, and longer ones go first.
        """
        if not any(lexicon.has_phrases for lexicon in self._lexicons):
            return self._singles(words, chosen, language)
        parts = []
        of_word = np.full(len(words.key), -1)
        of_word[chosen] = language
        for number, lexicon in enumerate(self._lexicons):
            wanted = chosen[language == number]
            if not lexicon.has_phrases:
                parts.append(lexicon.units(words, wanted))
                continue
            texts = np.zeros(len(words.per_text), dtype=bool)
            texts[words.text[wanted]] = True
            units = lexicon.units(words, np.flatnonzero(texts[words.text]))
            parts.append(units.take(of_word[units.start] == number))
        units = without_overlaps(Units.concatenate(parts), len(words.key))
        language = of_word[units.start]
        return replace(units, target=units.target + self._first_target[language]), language

    def _singles(self, words: Words, chosen: Numbers, language: Numbers) -> tuple[Units, Numbers]:
        """:meth:`_units` where no lexicon has a source of several words."""
        if not len(chosen):
            return Units(chosen, chosen, chosen, chosen), chosen
        entry = language * len(self._seen) + words.key[chosen]
        target = self._single[entry]
        known = np.flatnonzero(target >= 0)
        start, language = chosen[known], language[known]
        one = np.ones_like(start)
        choices = one if self._recipe.translations == 1 else self._single_choices[entry[known]]
        return Units(start, one, target[known] + self._first_target[language], choices), language

    def _replace(self, words: Words, units: Units, instances: NDArray[np.uint64]) -> None:
        target = units.target
        if self._recipe.translations > 1:
            u = self._uniform("translation", instances, words, units.start)
            target = target + (u * units.choices).astype(np.int64)
        phrases = units.take(units.length > 1)
        inner = np.setdiff1d(spans(phrases.start, phrases.length), phrases.start, assume_unique=True)
        words.pieces[words.at[inner]] = self._empty
        words.pieces[words.at[inner] - 1] = self._empty
        words.pieces[words.at[units.start]] = target
        if not self._recipe.unspaced:
            return
        behind = units.start + units.length  # empty gaps beside replaced words get a space, save at the ends of a text
        number = np.concatenate([units.start, behind[behind < len(words.key)]])
        gap = words.at[number[words.position[number] > 0]] - 1
        words.pieces[gap[np.isin(words.pieces[gap], self._table.nothing)]] = self._space


def _keys_that_matter(
    table: TokenTable, sources: list[pl.DataFrame], stop: frozenset[str]
) -> tuple[pl.Series, Numbers]:
    """The keys of lexicons and stop words behind an empty one that stands for all others, and the number of each
    piece's key among them (0: any other, or a gap)."""
    words = [frame["words"].explode() for frame in sources]
    matters = table.keys.is_in(pl.concat([pl.Series(list(stop), dtype=pl.String), *words]).unique().implode())
    keys = pl.concat([pl.Series([""]), table.keys.filter(matters)])
    number = np.append(np.where(matters, np.cumsum(matters), 0), 0)  # the last for gaps, whose key is -1
    return keys, number[table.key_of_piece]
