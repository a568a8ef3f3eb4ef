"""Frames of rows, written to disk as they come, and the groups of queries that share documents."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from switchrank.formats.tables import Schema

BATCH = 50_000
"""Rows held as Python objects at a time."""
ROW_GROUP = 200_000


def sink(batches: Iterable[pl.DataFrame], schema: Schema, out: Path) -> None:
    """Write frames of ``schema``, one after the other, into one Parquet file without holding them all."""

    def scan(_columns: Any, _predicate: Any, _rows: Any, _size: Any) -> Iterator[pl.DataFrame]:
        yield from batches

    source = register_io_source(scan, schema=pl.Schema(schema))
    source.sink_parquet(out, compression="zstd", row_group_size=ROW_GROUP)


def frames(rows: Iterable[tuple[Any, ...]], schema: Schema) -> Iterator[pl.DataFrame]:
    """Frames of ``schema``, the last one empty; no more than BATCH rows are held as Python objects at a time."""
    left = iter(rows)
    while held := list(islice(left, BATCH)):
        columns = zip(*held, strict=True)  # columns are read faster than rows
        yield pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema)
    yield pl.DataFrame(schema=schema)


def connected_groups(links: pl.DataFrame) -> pl.DataFrame:
    """Join labels that share a query: the smallest groups such that no label has queries in two of them.

    Args:
        links: columns ``qid`` and ``label`` (a relevant document, or its topic), one row per link.

    Returns:
        Columns ``qid`` and ``group``, one row per query in order of first appearance. A group is named by the label
        that comes first in ``links``; a query with one label, shared with no mixed query, keeps it as its group.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if links.is_empty():
        return pl.DataFrame(schema={"qid": pl.String, "group": pl.String})
    queries = links.select(pl.col("qid").unique(maintain_order=True)).with_row_index("query")
    labels = links.select(pl.col("label").unique(maintain_order=True)).with_row_index("number")
    edges = links.join(queries, on="qid").join(labels, on="label")
    start = edges["query"].cast(pl.Int64).to_numpy()
    end = edges["number"].cast(pl.Int64).to_numpy() + len(queries)
    size = len(queries) + len(labels)
    graph = coo_array((np.ones(len(edges), dtype=np.int8), (start, end)), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    names = labels.select("label", component=pl.Series(component[len(queries) :])).unique(
        "component", keep="first", maintain_order=True
    )
    return (
        queries.select("qid", component=pl.Series(component[: len(queries)]))
        .join(names, on="component", how="left", maintain_order="left")
        .select("qid", group="label")
    )
