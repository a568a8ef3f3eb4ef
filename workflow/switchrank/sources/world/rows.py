"""Writing the tab-separated files of the made-up world."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def write_rows(path: Path, rows: Iterable[tuple[object, ...]]) -> None:
    r"""Write ``rows`` as UTF-8 lines, fields between tabs, ``\n`` at the end of each line."""
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8", newline="\n")
