"""The warnings of a run as lines, the same wherever they are shown."""

from pathlib import Path

from switchrank.formats.tables import WARNINGS, read_table


def warning_lines(path: str | Path) -> list[str]:
    """A line for each row of WARNINGS; none if there is no such table yet."""
    return [f"warning: {text}" for text in read_table(path, WARNINGS)["warning"]] if Path(path).is_file() else []
