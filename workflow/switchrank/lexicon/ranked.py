"""Writing translations as a lexicon."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from switchrank.formats.tables import LEXICON, write_table


def write_ranked(pairs: pl.DataFrame, out: str | Path) -> dict[str, int]:
    """Write a lexicon (``LEXICON``): words in order of their first appearance, their translations ranked as they come.

    Args:
        pairs: columns ``source``, ``target``, ``score``.

    Returns:
        ``{"words": distinct sources, "rows": rows}``.
    """
    order = pairs.select(pl.col("source").unique(maintain_order=True)).with_row_index("place")
    ranked = pairs.with_columns(pl.int_range(1, pl.len() + 1).over("source").alias("rank"))
    table = ranked.join(order, on="source", how="left", maintain_order="left").sort("place", "rank")
    write_table(table, out, LEXICON)
    return {"words": len(order), "rows": len(table)}
