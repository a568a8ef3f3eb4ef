"""Scores of the ablation's runs: PER_QUERY rows whose system is the id of a row of the ablation table, run by run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.ablation.rows import Row
from switchrank.core.errors import UserError
from switchrank.formats.tables import PER_QUERY, read_table

Paths = str | Path | Sequence[str | Path]
Floats = NDArray[np.float64]
_RUN = ["system", "testset", "query_lang", "doc_lang", "metric"]


class Scores(NamedTuple):
    """One run under one metric: ``qids`` ascending, ``values`` beside them."""

    row: Row
    testset: str
    query_lang: str
    doc_lang: str
    metric: str
    qids: pl.Series
    values: Floats


def mean(values: Floats) -> float:
    """The mean of a vector, correctly rounded, whatever its order."""
    return math.fsum(values) / len(values)


def read_scores(per_query: Paths, rows: Sequence[Mapping[str, Any]], *, metric: str | None = None) -> list[Scores]:
    """The scores of every run of the ablation, rows in the order of the table, then by test set, pair and metric.

    Args:
        per_query: one PER_QUERY table per test set, or one of all; scores of other systems in them are left out.
        rows: rows of the ablation table as mappings, :class:`switchrank.ablation.rows.Row` by attribute.
        metric: only this one.

    Raises:
        UserError: no scores (of the metric) for a row, scores under a seed that is not the row's, a query scored twice.
    """
    settings = {str(row["id"]): Row(**row) for row in rows}
    found: dict[tuple[str, ...], Scores] = {}
    for path in [per_query] if isinstance(per_query, str | Path) else per_query:
        table = read_table(path, PER_QUERY).filter(pl.col("system").is_in(list(settings)))
        if metric is not None:
            table = table.filter(pl.col("metric") == metric)
        for key, part in table.partition_by(_RUN, as_dict=True).items():
            system, testset, query_lang, doc_lang, name = key
            _check(path, settings[system], f"{testset} {query_lang}-{doc_lang}", part, twice=key in found)
            ordered = part.sort("qid")
            labels = (testset, query_lang, doc_lang, name)
            found[key] = Scores(settings[system], *labels, ordered["qid"], ordered["value"].to_numpy())
    scored = {key[0] for key in found}
    missing = next((name for name in settings if name not in scored), None)
    if missing is not None:
        what = f"no {metric}" if metric else "no scores"
        raise UserError("ablation", f"row {missing}", what, "rank and evaluate the model of every row")
    place = {name: number for number, name in enumerate(settings)}
    return [found[key] for key in sorted(found, key=lambda key: (place[key[0]], *key[1:]))]


def _check(path: str | Path, row: Row, pair: str, part: pl.DataFrame, *, twice: bool) -> None:
    other = part["seed"].filter(part["seed"] != row.seed)
    if len(other):
        problem = f"scored under seed {other[0]}, the table says {row.seed}"
        raise UserError(path, f"row {row.id}", problem, "evaluate the runs of this table")
    if twice or part["qid"].n_unique() < part.height:
        raise UserError(path, f"row {row.id} {pair}", "a query is scored twice", "give every test set and run once")
