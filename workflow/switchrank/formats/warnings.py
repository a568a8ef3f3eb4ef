"""The warnings of a run as people read them: the same lines wherever they are told."""

from __future__ import annotations

from pathlib import Path

from switchrank.formats.tables import WARNINGS, read_table


def warning_lines(path: str | Path) -> list[str]:
    """A line for each row of WARNINGS; [] where there is none, or no such table yet.

    Raises:
        UserError: the table is unreadable.
    """
    return [f"warning: {text}" for text in read_table(path, WARNINGS)["warning"]] if Path(path).is_file() else []
