"""Compatibility: titles put in as the original Wiki-CS experiments did, by replacing strings in the lower-cased text.

A key also matches inside a word, later replacements rewrite earlier ones, and a word that punctuation touches is not
found (Litschko et al. 2023, ``codeswitch_wiki_1.ipynb``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.ragged import Numbers
from switchrank.corpus.recipe import Recipe
from switchrank.corpus.switcher import SideCounts, Switched, language_names, text_languages
from switchrank.corpus.table import TokenTable, join_pieces
from switchrank.formats.tables import LEXICON, read_table
from switchrank.text.stopwords import stopwords

LONGEST = 3
"""Words of the longest n-gram that is looked up."""


def replace_strings(text: str, titles: Mapping[str, str], left_out: Collection[str]) -> tuple[str, NDArray[np.bool_]]:
    """The lower-cased text with titles replaced, and which of its words, split at white space, are part of one.

    Args:
        text: any text.
        titles: translations of lower-case strings.
        left_out: n-grams that are not looked up.
    """
    text = text.lower()
    words = text.split()
    spans = [(start, stop) for start in range(len(words)) for stop in range(start + 1, start + 1 + LONGEST)]
    grams = {(start, stop): " ".join(words[start:stop]) for start, stop in spans if stop <= len(words)}
    matched = {span: gram for span, gram in grams.items() if gram in titles and gram not in left_out}
    for gram in sorted(matched.values(), key=len, reverse=True):
        text = text.replace(gram, titles[gram])
    found = np.zeros(len(words), dtype=bool)
    for start, stop in matched:
        found[start:stop] = True
    return text, found


class SubstringSwitcher:
    """Switches texts as :class:`switchrank.corpus.switcher.Switcher` does, by :func:`replace_strings`."""

    def __init__(self, table: TokenTable, side: str, recipe: Recipe, lexicons: Mapping[str, str | Path]) -> None:
        self._table, self._side, self._recipe = table, side, recipe
        self._foreign = [language for language in recipe.choices(side) if language != recipe.source]
        best = (read_table(lexicons[lang], LEXICON).filter(pl.col("rank") == 1) for lang in self._foreign)
        self._titles = [dict(zip(rows["source"], rows["target"], strict=True)) for rows in best]
        self._stop = stopwords(recipe.source)
        known = set(table.keys)
        self.covered = {
            language: len(known.intersection(word for title in titles for word in title.split()))
            for language, titles in zip(self._foreign, self._titles, strict=True)
        }
        self.counts = SideCounts(self._foreign, 0, 0, 0, *np.zeros((3, len(self._foreign)), dtype=np.int64))

    def switch(self, texts: Numbers, instances: NDArray[np.uint64]) -> Switched:
        words = self._table.words(texts)
        plain = join_pieces(self._table.strings, words.pieces, 2 * words.per_text + 1)
        drawn = text_languages(self._recipe, self._side, instances)
        language = np.zeros(len(texts), np.int64) if drawn is None else drawn
        done = [self._one(text, number) for text, number in zip(plain, language.tolist(), strict=True)]
        names = language_names(self._recipe, self._side, drawn, len(texts))
        return Switched(pl.Series("text", done, dtype=pl.String), names)

    def _one(self, text: str, language: int) -> str:
        """The text switched to a language, by its number, and counted."""
        stays = language >= len(self._foreign)
        titles = {} if stays else self._titles[language]
        switched, found = replace_strings(text, titles, self._stop if self._recipe.drop_stopwords else ())
        words, counts = text.lower().split(), self.counts
        content = np.array([word not in self._stop for word in words], dtype=bool)
        counts.texts += 1
        counts.tokens += len(words)
        counts.content_tokens += int(content.sum())
        known = [sum(word in titles for word in words if word not in self._stop) for titles in self._titles]
        counts.covered += np.array(known, dtype=np.int64)
        if not stays:
            counts.switched[language] += found.sum()
            counts.content_switched[language] += (found & content).sum()
        return text if stays else switched
