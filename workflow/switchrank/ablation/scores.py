"""Scores of the ablation's runs: PER_QUERY rows whose system is the id of a row, joined with what the row says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.ablation.rows import Row
from switchrank.errors import UserError
from switchrank.formats.tables import PER_QUERY, read_table

Paths = str | Path | Sequence[str | Path]
_SERIES = ["system", "testset", "query_lang", "doc_lang", "metric"]


def read_scores(per_query: Paths, rows: Sequence[Mapping[str, Any]], *, metric: str | None = None) -> pl.DataFrame:
    """PER_QUERY of the ablation's runs, with ``start``, ``language``, ``examples`` and ``number`` (of the row, from 0).

    Args:
        per_query: one PER_QUERY table per test set, or one of all; scores of other systems in them are left out.
        rows: rows of the ablation table as mappings, :class:`switchrank.ablation.rows.Row` by attribute.
        metric: only this one.

    Returns:
        The rows in the order of the table, then by test set, pair, metric and query.

    Raises:
        UserError: no scores of the metric, of a row, under a seed that is not the row's, or a query scored twice.
    """
    settings = pl.DataFrame([vars(Row(**row)) for row in rows]).rename({"id": "system", "seed": "row_seed"})
    settings = settings.with_row_index("number")
    paths = [per_query] if isinstance(per_query, str | Path) else list(per_query)
    parts = []
    for path in paths:
        part = read_table(path, PER_QUERY)
        if metric is not None:
            part = part.filter(pl.col("metric") == metric)
        parts.append(part.join(settings, on="system", how="inner"))
    scores = pl.concat(parts)
    _check(scores, settings, paths, metric)
    order = ["number", "testset", "query_lang", "doc_lang", "metric", "qid"]
    return scores.drop("row_seed").sort(order)


def _check(scores: pl.DataFrame, settings: pl.DataFrame, paths: list[str | Path], metric: str | None) -> None:
    file = paths[0] if len(paths) == 1 else "ablation"
    missing = settings.join(scores, on="system", how="anti", maintain_order="left")
    if missing.height:
        what = f"no {metric}" if metric else "no scores"
        raise UserError(file, f"row {missing['system'][0]}", what, "rank and evaluate the model of every row")
    other = scores.filter(pl.col("seed") != pl.col("row_seed"))
    if other.height:
        first = other.row(0, named=True)
        problem = f"scored under seed {first['seed']}, the table says {first['row_seed']}"
        raise UserError(file, f"row {first['system']}", problem, "evaluate the runs of this table")
    twice = scores.filter(scores.select(*_SERIES, "qid").is_duplicated())
    if twice.height:
        first = twice.row(0, named=True)
        place = f"row {first['system']} {first['testset']} {first['query_lang']}-{first['doc_lang']}"
        raise UserError(file, place, f"query {first['qid']} is scored twice", "give every test set once")
