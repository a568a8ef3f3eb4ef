"""Cuts of the training queries: whole groups (articles, topics) are set aside, never part of one."""

from __future__ import annotations

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.seeds import derive_seed


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


PURPOSES = {"dev": "development cut", "labels": "labelled cut"}
"""What the seed of each cut is derived for, by the split it makes."""


def cut_queries(queries: pl.DataFrame, *, share: float, seed: int, split: str = "dev") -> pl.Series:
    """Choose the queries of a split: groups in a seeded order until they hold at least ``share`` of the queries.

    The place of a group in that order depends on the seed, the split and its own name only, so adding or reordering
    queries moves few others.

    Args:
        queries: columns ``qid`` and ``group``.
        share: share of queries, between 0 and 1.
        seed: the collection's seed.
        split: ``dev``, or ``labels`` (queries that are labelled examples only).

    Returns:
        The chosen ``qid`` values in the order of ``queries``.

    Raises:
        UserError: no group would be left for training.
    """
    sizes = queries.group_by("group").len().sort("group")
    order = [derive_seed(seed, "sources", PURPOSES[split], name) for name in sizes["group"]]
    drawn = sizes.with_columns(order=pl.Series(order, dtype=pl.UInt64)).sort("order", "group")
    before = drawn["len"].cum_sum() - drawn["len"]
    chosen = drawn.filter(before < share * len(queries))
    if len(chosen) == len(drawn):
        problem = f"a share of {share:.4g} takes all {len(drawn)} groups of {len(queries)} training queries"
        raise UserError("collection", split, problem, "lower the share, name finer groups, or give more queries")
    return queries.join(chosen, on="group", how="semi", maintain_order="left")["qid"]
