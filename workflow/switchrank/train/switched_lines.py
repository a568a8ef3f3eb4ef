"""Lines of several languages, switched by the lexicons that there are from each into others."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.core.ragged import Numbers
from switchrank.core.seeds import derive_seed
from switchrank.switching.lines import LineSwitcher
from switchrank.train.line_tables import pair_of


class SwitchedLines:
    """Switched copies of lines; those of a language that no lexicon starts from stay as they are.

    Args:
        texts: all lines, those of one language after those of another.
        groups: how many lines there are of each language, in order.
        lexicons: files, whose places tell their languages (:func:`switchrank.train.line_tables.pair_of`).
        p: chance that a word that a lexicon knows is switched.

    Raises:
        UserError: no lexicon is from a language of the texts, or none knows a word of theirs; a table is damaged.
    """

    def __init__(
        self, texts: pl.Series, groups: Mapping[str, int], lexicons: Sequence[str | Path], *, p: float, seed: int
    ) -> None:
        self._texts = texts
        self._bounds: Numbers = np.cumsum([0, *groups.values()])
        found: dict[str, dict[str, str | Path]] = {}
        for path in lexicons:
            source, target = pair_of(path)
            found.setdefault(source, {})[target] = path
        used = [name for name in groups if name in found]
        if not used:
            problem = f"from {', '.join(found)}, and the texts are in {', '.join(groups)}"
            raise UserError("train", "lexicon", problem, "give lexicons from a language of the texts")
        self._switchers: dict[int, LineSwitcher] = {}
        for number, name in enumerate(progress(list(groups), what="words of the texts", unit="languages")):
            if name in found:
                lines = texts[int(self._bounds[number]) : int(self._bounds[number + 1])]
                recipe = {"p": p, "source": name, "seed": derive_seed(seed, "switch")}
                self._switchers[number] = LineSwitcher(lines, found[name], recipe)
        self.covered = {name: self._switchers[number].covered for number, name in enumerate(groups) if name in found}
        if not any(any(words.values()) for words in self.covered.values()):
            problem = "it covers nothing: not one word of the texts has a translation"
            raise UserError(found[used[0]].popitem()[1], "source", problem, "check its languages and spelling")

    def __call__(self, lines: Numbers, draws: Numbers) -> pl.Series:
        """The lines with these numbers, each switched by what is drawn for a number of ``draws``."""
        language = np.searchsorted(self._bounds, lines, side="right") - 1
        result: list[Any] = self._texts[lines].to_list()
        for some, switcher in self._of_languages(language):
            switched = switcher(lines[some] - self._bounds[language[some[0]]], draws[some])
            for place, text in zip(some.tolist(), switched, strict=True):
                result[place] = text
        return pl.Series("text", result, dtype=pl.String)

    def _of_languages(self, language: Numbers) -> Iterator[tuple[Numbers, LineSwitcher]]:
        for number, switcher in self._switchers.items():
            some = np.flatnonzero(language == number)
            if len(some):
                yield some, switcher
