"""Tables too large for memory: frames that come one by one go into one Parquet file as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from switchrank.formats.tables import Schema

ROW_GROUP = 200_000


def sink(batches: Iterable[pl.DataFrame], schema: Schema, out: Path) -> None:
    """Write frames of ``schema``, one after the other, into one parquet file without holding them all."""

    def scan(_columns: Any, _predicate: Any, _rows: Any, _size: Any) -> Iterator[pl.DataFrame]:
        yield from batches

    source = register_io_source(scan, schema=pl.Schema(schema))
    source.sink_parquet(out, compression="zstd", row_group_size=ROW_GROUP)


def rows_of(path: Path) -> int:
    """Number of rows of a Parquet file."""
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())
