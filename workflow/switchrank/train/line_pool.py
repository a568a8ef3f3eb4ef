"""Lines of several languages, or of bitext in several pairs of languages, of which some are set aside to judge by."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.ragged import Numbers
from switchrank.core.seeds import derive_seed, generator
from switchrank.train.units import Order, OrderBySize

_LEAST = 2


class LinePool:
    """Lines, numbered from 0, those of one language, or pair of languages, after those of another.

    Attributes:
        frame: a row for each line; its columns are ``text``, or ``source`` and ``target``.
        groups: by what the languages are called, how many lines there are of each, in order.
        trained, held_out: the numbers of the lines that are trained on, and of those set aside, both rising.

    Args:
        lines: the distinct lines by what their languages are called.
        role: of the data, for messages.
        held_out: lines to be set aside; a tenth of all at most, one at least.
        seed: of the draw of these.

    Raises:
        UserError: there are fewer than two lines.
    """

    def __init__(self, lines: Mapping[str, pl.DataFrame], role: str, held_out: int, seed: int) -> None:
        self.groups = {name: len(some) for name, some in lines.items()}
        count = sum(self.groups.values())
        if count < _LEAST:
            raise UserError("train", role, f"{count or 'no'} lines", "give files with more")
        self.frame = pl.concat(lines.values())
        aside = min(held_out, max(1, count // 10))
        chosen = generator(seed, "held out", role).choice(count, aside, replace=False)
        self.held_out: Numbers = np.sort(chosen).astype(np.int64)
        self.trained: Numbers = np.setdiff1d(np.arange(count), self.held_out)
        self._role = role

    def order(self, batch_size: int, seed: int, exponent: float) -> Order:
        """In which order lines are trained on, as places in :attr:`trained`."""
        counts = [there for there in self._counts(self.trained).values() if there]
        return OrderBySize(counts, batch_size, derive_seed(seed, "order", self._role), exponent)

    def record(self) -> dict[str, Any]:
        """By language, how many lines are trained on and how many are set aside."""
        held_out = self._counts(self.held_out)
        trained = self._counts(self.trained)
        return {name: {"trained_on": trained[name], "held_out": held_out[name]} for name in self.groups}

    def _counts(self, lines: Numbers) -> dict[str, int]:
        bounds = np.cumsum([0, *self.groups.values()])
        return dict(zip(self.groups, np.diff(np.searchsorted(lines, bounds)).tolist(), strict=True))
