"""Counted warnings: what was left out of a collection, and how much, as one line on standard error."""

from __future__ import annotations

import sys
from pathlib import Path


def note(file: str | Path, count: int, what: str) -> None:
    """Print ``file: warning: <count> <what>`` unless ``count`` is 0."""
    if count:
        print(f"{file}: warning: {count:,} {what}", file=sys.stderr, flush=True)
