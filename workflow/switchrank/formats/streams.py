"""Parquet tables larger than memory: read and written a block of rows at a time, in order.

The bytes written depend on the rows only, not on how they came in blocks: row groups have a fixed size.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from switchrank.core.ragged import Numbers
from switchrank.formats.tables import Schema

T = TypeVar("T")
U = TypeVar("U")

ROW_GROUP = 65_536
"""Rows of a row group; a block read is one row group by default, so that no row group is read twice."""


def count_rows(frame: pl.LazyFrame) -> int:
    """The number of rows of ``frame``."""
    return int(frame.select(pl.len()).collect().item())


def read_slices(
    frame: pl.LazyFrame, start: int, stop: int, rows: int = ROW_GROUP, threads: int = 1
) -> Iterator[pl.DataFrame]:
    """Yield rows ``start`` to ``stop`` of ``frame`` in order, at most ``rows`` at a time, ``threads`` reads ahead."""
    return in_order(
        lambda first: frame.slice(first, min(rows, stop - first)).collect(), range(start, stop, rows), threads
    )


def portions(frame: pl.DataFrame, sizes: Numbers, size: int) -> Iterator[pl.DataFrame]:
    """Cut a frame into runs of rows whose ``sizes``, one per row, sum up to about ``size`` each."""
    number = np.cumsum(sizes) // size
    cuts = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), frame.height]
    yield from (frame[start:stop] for start, stop in pairwise(cuts) if start < stop)


def in_order(work: Callable[[T], U], items: Iterable[T], threads: int) -> Iterator[U]:
    """The results of ``work`` on each item, in their order, with as many items at work as there are threads."""
    if threads == 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[U]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def write_stream(frames: Iterable[pl.DataFrame], path: Path, schema: Schema) -> None:
    """Write frames one after the other into the parquet file ``path`` (zstd); errors of ``frames`` pass through."""

    def source(*_: object) -> Iterator[pl.DataFrame]:  # whatever columns and rows are asked for: all are written
        yield from frames

    lazy = register_io_source(source, schema=pl.Schema(schema))
    lazy.sink_parquet(path, compression="zstd", statistics=True, row_group_size=ROW_GROUP, maintain_order=True)
