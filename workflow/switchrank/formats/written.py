"""Tables that people write: tab-separated UTF-8 text whose first line names the columns."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from switchrank.core.errors import UserError


def written_rows(path: str | Path, columns: Sequence[str], what: str, advice: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the place and the cells of each line below the header; blank lines are passed over.

    Raises:
        UserError: there is no file (``advice`` says what to do about it), it is no UTF-8 table, or its columns differ.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(path, "", f"no such {what} table", advice)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter="\t")
            header = next(reader, [])
            if header != list(columns):
                raise UserError(path, "line 1", f"columns {header}", f"write {' '.join(columns)} with tabs")
            yield from ((f"line {reader.line_num}", cells) for cells in reader if cells)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(path, "", f"not a UTF-8 table ({error})", "save it as tab-separated UTF-8 text") from error


def by_column(path: str | Path, place: str, cells: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    """The cells of a line by column; UserError unless there is one for each."""
    if len(cells) != len(columns):
        raise UserError(path, place, f"{len(cells)} cells", f"write {len(columns)} with tabs: {' '.join(columns)}")
    return dict(zip(columns, cells, strict=True))
