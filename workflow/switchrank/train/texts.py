"""Plain text from the files a tokenizer is trained on: lines of text files, text columns of parquet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from switchrank.core.errors import UserError
from switchrank.formats.tables import DAMAGE, reason
from switchrank.text.running_text import read_prose

_COLUMNS = ("text", "query", "passage")
_ROWS = 50_000


def _cells(path: Path) -> Iterator[str]:
    try:
        frame = pl.scan_parquet(path)
        columns = [name for name in _COLUMNS if name in frame.collect_schema()]
        if not columns:
            raise UserError(path, "columns", "no column of text", f"a table with {' or '.join(_COLUMNS)} is needed")
        for column in columns:
            start = 0
            while len(rows := frame.select(column).slice(start, _ROWS).collect()):
                yield from rows[column]
                start += _ROWS
    except DAMAGE as error:
        raise UserError(path, "", f"not a readable parquet table ({reason(error)})", "delete it and rerun") from error


def read_texts(path: str | Path) -> Iterator[str]:
    """The texts of one file, in file order.

    Args:
        path: ``.parquet`` (columns ``text``, or ``query`` and ``passage``), or lines of UTF-8, plain, gzip or xz.

    Raises:
        UserError: the file is missing, damaged, not UTF-8, no text (XML, SQL, binary), or a table without text.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(path, "", "no such file", "correct the path, or run the stage that makes it")
    return _cells(path) if path.suffix == ".parquet" else read_prose(path)
