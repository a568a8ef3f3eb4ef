"""The texts of a table, read in parts, each different one once: what becomes vectors."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.formats.tables import DAMAGE, reason
from switchrank.search.blocks import Indices

_ROWS = 65_536
"""Texts that are read at once."""


class Texts(NamedTuple):
    """Texts in memory: their ids, and the file they come from."""

    ids: list[str]
    texts: list[str]
    source: str | Path

    @property
    def column(self) -> pl.Series:
        """The ids."""
        return pl.Series(self.ids, dtype=pl.String)

    @property
    def frame(self) -> pl.LazyFrame:
        """The texts as a table has them."""
        return pl.LazyFrame({"text": self.texts}, schema={"text": pl.String})


def scan_texts(table: Path, column: str) -> pl.LazyFrame:
    """A column of texts of a table, which is not read yet; raises UserError where there is none."""
    if not table.is_file():
        raise UserError(table, "", "no such file", "run the stage that makes it, or correct the path")
    try:
        frame = pl.scan_parquet(table)
        columns = frame.collect_schema()
    except DAMAGE as error:
        raise UserError(table, "", f"not a readable table ({reason(error)})", "delete it and rerun") from error
    if columns.get(column) != pl.String:
        known = ", ".join(name for name, dtype in columns.items() if dtype == pl.String)
        raise UserError(table, "columns", f"no texts in '{column}'", f"name one of {known}")
    return frame.select(text=pl.col(column).fill_null(""))


def _parts(texts: pl.LazyFrame) -> Iterator[pl.Series]:
    """Texts, some thousands at a time."""
    count = texts.select(pl.len()).collect().item()
    for start in range(0, count, _ROWS):
        yield texts.slice(start, _ROWS).collect()["text"]


def first_equal(texts: pl.LazyFrame, source: str | Path) -> Indices:
    """For each text the row of the first one that equals it, by two hashes of 64 bits; blank ones are told."""
    hashes, blank = [], 0
    for part in _parts(texts):
        hashes.append(pl.DataFrame({"one": part.hash(1), "other": part.hash(2)}))
        blank += int((~part.str.contains(r"\S")).sum())
    if not hashes:
        raise UserError(source, "", "no texts", "give a table that has some")
    rows = pl.concat(hashes).with_row_index("row")
    if blank:
        print(f"{source}: {blank} of {len(rows)} texts are blank: their vectors say nothing", file=sys.stderr)
    return rows.select(pl.col("row").min().over("one", "other").cast(pl.Int64))["row"].to_numpy()


def new_texts(texts: pl.LazyFrame, first: Indices) -> Iterator[str]:
    """Those that no earlier one equals, by what :func:`first_equal` says."""
    start = 0
    for part in _parts(texts):
        some = np.arange(start, start + len(part))
        yield from part.filter(pl.Series(first[some] == some))
        start += len(part)
