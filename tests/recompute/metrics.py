"""Metrics per run and per query: metrics.csv and per_query.parquet."""

from __future__ import annotations

import polars as pl

from switchrank.formats.tables import METRICS, PER_QUERY, read_table
from tests.recompute.design import setup
from tests.recompute.finished import Finished, Series, mean

_SHOWN = 20
"""So many wrong queries are enough to see what is wrong."""


def check_metrics(run: Finished) -> None:
    """Hold each row against the mean over queries of its run."""
    expected = {
        (*series, metric): {
            "run": run.design.run,
            "setup": setup(series.query_lang, series.doc_lang),
            "seen": run.design.seen(series.testset, series.query_lang, series.doc_lang),
            "value": mean(values.values()),
            "queries": len(values),
        }
        for series, metrics in run.scores.items()
        for metric, values in metrics.items()
    }
    run.check("metrics.csv", METRICS, (*Series._fields, "metric"), expected)


def check_per_query(run: Finished) -> None:
    """Hold every row against the score of its query."""
    found = read_table(run.folder / "tables" / "per_query.parquet", PER_QUERY)
    rows = (
        (*series, qid, metric, value)
        for series, metrics in run.scores.items()
        for metric, scores in metrics.items()
        for qid, value in scores.items()
    )
    expected = pl.DataFrame(list(rows), schema=pl.Schema(PER_QUERY), orient="row")
    keys = [name for name in PER_QUERY if name != "value"]
    both = found.join(expected, on=keys, how="full", suffix="_again", coalesce=True)
    off = (pl.col("value") - pl.col("value_again")).abs() > run.tolerance
    for row in both.filter(off.fill_null(True)).head(_SHOWN).iter_rows(named=True):
        place = " ".join(str(row[name]) for name in keys)
        run.wrong.append(f"per_query.parquet {place} value: {row['value']}, recomputed {row['value_again']}")
    if found.select(keys).is_duplicated().any():
        run.wrong.append("per_query.parquet: a row stands twice")
