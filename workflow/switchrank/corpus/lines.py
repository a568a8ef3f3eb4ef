"""Plain lines code-switched: the same switching as for a corpus, for text at hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from switchrank.corpus.lexicons import read_sources
from switchrank.corpus.pieces import PieceTable
from switchrank.corpus.recipe import MIXED, SIDES, read_recipe
from switchrank.corpus.switcher import Switcher
from switchrank.corpus.table import TokenTable
from switchrank.text.splitting import language_splitter


def switch_lines(
    lines: list[str],
    *,
    lexicons: Mapping[str, str | Path],
    recipe: dict[str, Any] | None = None,
    vocabulary: str | Path | None = None,
) -> list[str]:
    """The lines, switched to the languages of ``lexicons``; line i gets the draws of the query of instance i.

    Args:
        lines: texts in the source language.
        lexicons: language to lexicon (``LEXICON``); several languages are mixed in this order.
        recipe: keys of :class:`switchrank.corpus.recipe.Recipe` that do not follow from these, such as ``p``.
        vocabulary: what cuts lines without spaces (:func:`switchrank.text.splitting.language_splitter`).

    Raises:
        UserError: a lexicon is missing or of another schema, or the recipe is wrong.
    """
    languages = list(lexicons)
    sides = dict.fromkeys(SIDES, languages[0] if len(languages) == 1 else MIXED)
    derived = {"languages": languages, "sides": sides, "unspaced": vocabulary is not None}
    checked = read_recipe((recipe or {}) | derived)
    sources = {language: read_sources(path, checked.translations) for language, path in lexicons.items()}
    table = TokenTable.of(lines, PieceTable(language_splitter(vocabulary)))
    numbers = np.arange(len(lines))
    switched = Switcher(table, "query", checked, sources).switch(numbers, numbers.astype(np.uint64))
    texts: list[str] = switched.texts.to_list()
    return texts
