"""Counted warnings: what was left out of a collection, and how much, as one line on standard error; with a limit."""

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from switchrank.core.errors import UserError


def note(file: str | Path, count: int, what: str) -> None:
    """Print ``file: warning: <count> <what>`` unless ``count`` is 0."""
    if count:
        print(f"{file}: warning: {count:,} {what}", file=sys.stderr, flush=True)


def left_out(file: str | Path, count: int, total: int, what: str, limit: float) -> None:
    """:func:`note` that ``count`` of ``total`` rows are lost; UserError if that is more than the share ``limit``."""
    note(file, count, what)
    if count > limit * total:
        problem = f"{count:,} of {total:,} rows: {what}; that is above max_skipped {limit:g}"
        raise UserError(file, "", problem, "correct the file, or raise max_skipped")


@dataclass
class Skipped:
    """What the reader of one file leaves out, counted as it reads and reported at the end.

    Attributes:
        file: the file.
        limit: largest share of the rows of a kind that one reason may cost.
        rows: how many rows of each kind the file holds.
        lost: how many are lost, by kind of row and reason; the kind is empty where nothing usable is lost.
    """

    file: str | Path
    limit: float
    rows: Counter[str] = field(default_factory=Counter)
    lost: Counter[tuple[str, str]] = field(default_factory=Counter)

    def lose(self, kind: str, reason: str, count: int = 1) -> None:
        """Count rows of a ``kind`` that are lost for a ``reason``; without a kind no limit holds."""
        self.lost[kind, reason] += count

    def tell(self) -> None:
        """Print every count, in the order in which the reasons came up; UserError above ``limit``."""
        for (kind, reason), count in self.lost.items():
            if kind:
                left_out(self.file, count, self.rows[kind], reason, self.limit)
            else:
                note(self.file, count, reason)
