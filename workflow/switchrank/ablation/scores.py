"""Scores of the ablation's runs: PER_QUERY rows whose system is the id of a row of the ablation table, run by run, and
the table of their means, one value per row, test pair and metric, for any tool that draws or tests."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.ablation.rows import Row
from switchrank.core.errors import UserError
from switchrank.formats.tables import ABLATION, PER_QUERY, read_table, write_table

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


def read_scores(per_query: Paths, rows: Sequence[Row], *, metric: str | None = None) -> list[Scores]:
    """The scores of every run of the ablation, rows in the order of the table, then by test set, pair and metric.

    Args:
        per_query: one PER_QUERY table per test set, or one of all; scores of other systems in them are left out.
        rows: rows of the ablation table.
        metric: only this one.

    Raises:
        UserError: no scores (of the metric) for a row, scores under a seed that is not the row's, a query scored twice.
    """
    settings = {row.id: row for row in rows}
    found: dict[tuple[str, ...], Scores] = {}
    for path in [per_query] if isinstance(per_query, str | Path) else per_query:
        table = read_table(path, PER_QUERY).filter(pl.col("system").is_in(list(settings)))
        if metric is not None:
            table = table.filter(metric=metric)
        for key, part in table.partition_by(_RUN, as_dict=True).items():
            system, testset, query, document, name = key
            row, ordered = settings[system], part.sort("qid")
            _check(path, row, f"{testset} {query}-{document}", part, twice=key in found)
            values = ordered["value"].to_numpy()
            found[key] = Scores(row, testset, query, document, name, ordered["qid"], values)
    missing = next((name for name in settings if name not in {key[0] for key in found}), None)
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


def ablation_table(
    *, per_query: Paths, rows: Sequence[Row], out: str | Path, records: Sequence[str | Path] = ()
) -> None:
    """Write ABLATION: the mean over queries, correctly rounded, of every run of every row.

    Args:
        per_query: PER_QUERY tables in which each row's id is a system.
        rows: the ablation table (.tsv).
        out: table to write (.csv); in the order of ``rows``, then by test set, pair and metric.
        records: the train.json of every tuned model, which names its row.

    Raises:
        UserError: see :func:`read_scores`; no readable record for a row with examples.
    """
    epochs = _epochs(records)
    missing = next((row.id for row in rows if row.examples and row.id not in epochs), None)
    if missing is not None:
        raise UserError("ablation", f"row {missing}", "no training record", "give the train.json of every tuned model")
    means = []
    for row, testset, query, document, metric, _, values in read_scores(per_query, rows):
        means.append((*astuple(row), testset, query, document, metric, mean(values), epochs.get(row.id, 0.0)))
    write_table(pl.DataFrame(means, schema=pl.Schema(ABLATION), orient="row"), out, ABLATION)


def _epochs(records: Sequence[str | Path]) -> dict[str, float]:
    """Passes over the training pairs by row."""
    found = {}
    for path in records:
        try:
            record = json.loads(Path(path).read_text(encoding="utf-8"))
            found[str(record["system"])] = float(record["epochs"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"no record of a tuned model ({type(error).__name__} {error})"
            raise UserError(path, "", problem, "give the train.json of a row's model, or tune it again") from error
    return found
