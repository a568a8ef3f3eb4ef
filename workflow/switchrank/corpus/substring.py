"""Compatibility: titles put in as the original Wiki-CS experiments did, by replacing strings in the lower-cased text.

A key also matches inside a word, later replacements rewrite earlier ones, and punctuation that touches a word keeps it
from being found (Litschko et al. 2023, ``codeswitch_wiki_1.ipynb``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.corpus.counts import SideCounts
from switchrank.corpus.recipe import Recipe
from switchrank.corpus.switcher import Switched, language_names, text_languages
from switchrank.corpus.table import Numbers, TokenTable, join_pieces
from switchrank.formats.tables import LEXICON, read_table
from switchrank.text.stopwords import stopwords

LONGEST = 3
"""Words of the longest n-gram that is looked up."""


def replace_strings(text: str, titles: Mapping[str, str], stop: Collection[str]) -> tuple[str, NDArray[np.bool_]]:
    """The lower-cased text with titles replaced, and for each of its words whether a title was found there.

    Args:
        text: any text; its words are what white space parts.
        titles: translations of lower-case strings.
        stop: n-grams that are not looked up.
    """
    from nltk.util import everygrams

    text = text.lower()
    words = text.split()
    grams = (" ".join(gram) for gram in everygrams(words, max_len=LONGEST))
    for gram in sorted((gram for gram in grams if gram in titles and gram not in stop), key=len, reverse=True):
        text = text.replace(gram, titles[gram])
    found = np.zeros(len(words), dtype=bool)
    for length in range(1, LONGEST + 1):
        for start in range(len(words) - length + 1):
            gram = " ".join(words[start : start + length])
            found[start : start + length] |= gram in titles and gram not in stop
    return text, found


class SubstringSwitcher:
    """Switches the texts of one side of a corpus by :func:`replace_strings`, one language for each text.

    Arguments and attributes are those of :class:`switchrank.corpus.switcher.Switcher`; words are counted as white space
    parts them.
    """

    def __init__(self, table: TokenTable, side: str, recipe: Recipe, lexicons: Mapping[str, str | Path]) -> None:
        self._table, self._side, self._recipe = table, side, recipe
        self._foreign = [language for language in recipe.choices(side) if language != recipe.source]
        self._titles = [_best(lexicons[language]) for language in self._foreign]
        self._stop = stopwords(recipe.source)
        known = set(table.keys)
        self.covered = {
            language: len(known.intersection(word for title in titles for word in title.split()))
            for language, titles in zip(self._foreign, self._titles, strict=True)
        }
        self.counts = SideCounts(tuple(self._foreign))

    def switch(self, texts: Numbers, instances: NDArray[np.uint64]) -> Switched:
        """See :meth:`switchrank.corpus.switcher.Switcher.switch`."""
        words = self._table.words(texts)
        plain = join_pieces(self._table.strings, words.pieces, 2 * words.per_text + 1)
        drawn = text_languages(self._recipe, self._side, instances)
        language = np.zeros(len(texts), np.int64) if drawn is None else drawn
        done = [self._one(text, number) for text, number in zip(plain, language.tolist(), strict=True)]
        names = language_names(self._recipe, self._side, drawn, len(texts))
        return Switched(pl.Series("text", done, dtype=pl.String), names)

    def _one(self, text: str, language: int) -> str:
        stays = language >= len(self._foreign)
        titles = {} if stays else self._titles[language]
        switched, found = replace_strings(text, titles, self._stop if self._recipe.drop_stopwords else ())
        words = text.lower().split()
        content = np.array([word not in self._stop for word in words], dtype=bool)
        known = [np.array([word in translated for word in words], dtype=bool) for translated in self._titles]
        self.counts.add(1, content, np.where(found, language, -1).astype(np.int8), known)
        return text if stays else switched


def _best(path: str | Path) -> dict[str, str]:
    rows = read_table(path, LEXICON).filter(pl.col("rank") == 1)
    return dict(zip(rows["source"], rows["target"], strict=True))
