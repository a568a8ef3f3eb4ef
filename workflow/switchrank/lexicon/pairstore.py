"""Rows for a sorted table, kept on disk where they are many: memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

HELD = 1 << 18
"""Rows held in memory."""
_BATCH = 1 << 16
_ROW_GROUP = 1 << 12
_EVERY = 1 << 6


class PairStore:
    """Rows of a schema, added one by one, read back in parts by their first column.

    Args:
        schema: columns; the first is a text without nulls.
        folder: an empty folder for the rows beyond :data:`HELD`.
    """

    def __init__(self, schema: pl.Schema, folder: Path) -> None:
        self._schema, self._folder = schema, folder
        self._first = schema.names()[0]
        self._rows: list[tuple[Any, ...]] = []
        self._frames: list[pl.DataFrame] = []
        self._files: list[Path] = []
        self._written = 0

    def add(self, row: tuple[Any, ...]) -> None:
        self._rows.append(row)
        if len(self._rows) == min(_BATCH, HELD):
            self._frames.append(self._frame())
            if sum(map(len, self._frames)) >= HELD:
                self._write()

    def parts(self) -> Iterator[pl.DataFrame]:
        """Yield frames of about :data:`HELD` rows, at least one. Rows of one first value are together, in the order
        they were added; the values of a frame come before those of the next, by code points.
        """
        self._frames.append(self._frame())
        if not self._files:
            yield pl.concat(self._frames)
            return
        self._write()
        edges = self._edges()
        first = pl.col(self._first)
        for low, high in zip([None, *edges], [*edges, None], strict=True):
            after = pl.lit(True) if low is None else first > low
            until = pl.lit(True) if high is None else first <= high
            yield pl.concat([pl.scan_parquet(file).filter(after & until).collect() for file in self._files])

    def _frame(self) -> pl.DataFrame:
        rows, self._rows = self._rows, []
        return pl.DataFrame(rows, schema=self._schema, orient="row")

    def _write(self) -> None:
        """Write what is in memory, sorted, so that a part is in a few row groups of each file."""
        rows = pl.concat(self._frames).sort(self._first, maintain_order=True)
        file = self._folder / f"rows-{len(self._files)}.parquet"
        rows.write_parquet(file, row_group_size=_ROW_GROUP, statistics=True)
        self._files.append(file)
        self._frames, self._written = [], self._written + len(rows)

    def _edges(self) -> list[str]:
        """Values that cut the rows into parts of about equal size."""
        sample = pl.concat(
            [pl.scan_parquet(file).select(pl.col(self._first).gather_every(_EVERY)).collect() for file in self._files]
        )
        values = sample[self._first].sort()
        parts = -(-self._written // HELD)
        cuts = (values[len(values) * part // parts] for part in range(1, parts))
        return list(dict.fromkeys(cuts))
