"""Cuts of the training queries: whole groups (articles, topics) are set aside, never part of one."""

from __future__ import annotations

import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.seeds import derive_seed

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
