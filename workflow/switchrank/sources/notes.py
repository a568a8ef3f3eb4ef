"""Counted warnings: what was left out of a collection, and how much, as one line on standard error; with a limit."""

from __future__ import annotations

import sys
from pathlib import Path

from switchrank.errors import UserError


def note(file: str | Path, count: int, what: str) -> None:
    """Print ``file: warning: <count> <what>`` unless ``count`` is 0."""
    if count:
        print(f"{file}: warning: {count:,} {what}", file=sys.stderr, flush=True)


def left_out(file: str | Path, count: int, total: int, what: str, limit: float) -> None:
    """:func:`note`, where ``count`` of ``total`` rows are lost.

    Raises:
        UserError: more than the share ``limit`` of the rows is lost.
    """
    note(file, count, what)
    if count > limit * total:
        problem = f"{count:,} of {total:,} rows: {what}; that is above max_skipped {limit:g}"
        raise UserError(file, "", problem, "correct the file, or raise max_skipped")
