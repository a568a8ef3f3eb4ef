"""Lines of text at hand, switched as the texts of a corpus are, as often as wanted."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.ragged import Numbers
from switchrank.switching.pieces import ArrayPieceTable, PieceTable
from switchrank.switching.recipe import MIXED, SIDES, read_recipe
from switchrank.switching.switcher import Switcher
from switchrank.switching.table import TokenTable, read_sources
from switchrank.text.splitting import language_splitter


class LineSwitcher:
    """Switches lines of one language into those of some lexicons.

    Attributes:
        covered: per language how many distinct words of the lines its lexicon translates.

    Args:
        lines: the texts.
        lexicons: by language, mixed in this order, tables ``LEXICON``.
        recipe: keys of :class:`switchrank.switching.recipe.Recipe` that do not follow from these, such as ``p``.
        vocabulary: vector store prefix, or segmenter:NAME, to cut lines without spaces.

    Raises:
        UserError: a lexicon is missing or of another schema, or the recipe is wrong.

    Example:
        >>> switcher = LineSwitcher(["the dog barks"], {"de": "lexicons/en-de.parquet"}, {"p": 0.5, "seed": 1})
        >>> switcher([0, 0], [1, 2]).to_list()  # twice the same line, with draws of their own
        ['the Hund barks', 'der dog barks']
    """

    def __init__(
        self,
        lines: Sequence[str] | pl.Series,
        lexicons: Mapping[str, str | Path],
        recipe: Mapping[str, Any] | None = None,
        vocabulary: str | Path | None = None,
    ) -> None:
        languages = list(lexicons)
        sides = dict.fromkeys(SIDES, languages[0] if len(languages) == 1 else MIXED)
        derived = {"languages": languages, "sides": sides, "unspaced": vocabulary is not None}
        checked = read_recipe({**(recipe or {}), **derived})
        sources = {language: read_sources(path, checked.translations) for language, path in lexicons.items()}
        cut = ArrayPieceTable() if vocabulary is None else PieceTable(language_splitter(vocabulary))
        self._switcher = Switcher(TokenTable.of(lines, cut), "query", checked, sources)
        self.covered = self._switcher.covered

    def __call__(self, lines: Numbers | Sequence[int], draws: Numbers | Sequence[int]) -> pl.Series:
        """The lines with these numbers (repeats allowed), each switched by what is drawn for a number of ``draws``."""
        numbers: NDArray[np.uint64] = np.asarray(draws, dtype=np.uint64)
        return self._switcher.switch(np.asarray(lines, dtype=np.int64), numbers)
