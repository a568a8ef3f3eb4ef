"""Learning curves: the score of a starting model over the number of labelled queries, with its bootstrap band."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from switchrank.ablation.bootstrap import Floats, interval, resampled_means
from switchrank.ablation.scores import Paths, read_scores
from switchrank.errors import UserError
from switchrank.formats.tables import Schema, write_table

CURVE: Schema = {
    "start": pl.String,
    "language": pl.String,
    "testset": pl.String,
    "query_lang": pl.String,
    "doc_lang": pl.String,
    "metric": pl.String,
    "examples": pl.Int64,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "queries": pl.Int64,
    "seeds": pl.Int64,
}
"""One point of a curve: ``value`` is the mean over queries of seed averages, ``low`` and ``high`` its 95% bootstrap
interval over queries; ``queries`` and ``seeds`` say how many. By language, test pair and metric, then by start in the
order of the ablation table, then by ``examples``."""


class Cell(NamedTuple):
    """Labelled language, test pair and metric: curves of one cell are compared."""

    language: str
    testset: str
    query_lang: str
    doc_lang: str
    metric: str


@dataclass(frozen=True)
class Curve:
    """One start in one cell: ``examples`` ascending; ``values`` of shape ``(points, queries)``, averaged over seeds.

    Queries are in the same order in all curves of a cell.
    """

    start: str
    examples: tuple[int, ...]
    values: Floats
    seeds: tuple[int, ...]


def mean(values: Floats) -> float:
    """The mean of a vector, correctly rounded."""
    return math.fsum(values) / len(values)


def read_curves(
    per_query: Paths, rows: Sequence[Mapping[str, Any]], *, metric: str | None = None
) -> dict[Cell, list[Curve]]:
    """The curves by cell; languages and starts in the order of ``rows``, cells of a language by name.

    Raises:
        UserError: see :func:`switchrank.ablation.scores.read_scores`; runs of a cell that cover different queries, or
            a row without a test pair that others of its start and language have.
    """
    scores = read_scores(per_query, rows, metric=metric)
    cells = {Cell(*names): group for names, group in scores.group_by(list(Cell._fields), maintain_order=True)}
    languages = list(dict.fromkeys(str(row["language"]) for row in rows))
    for cell, group in cells.items():
        _check_complete(cell, group, rows)
    ordered = sorted(cells, key=lambda cell: (languages.index(cell.language), *cell[1:]))
    starts = list(dict.fromkeys(str(row["start"]) for row in rows))
    return {
        cell: [_curve(start, part) for start in starts if (part := cells[cell].filter(start=start)).height]
        for cell in ordered
    }


def _check_complete(cell: Cell, group: pl.DataFrame, rows: Sequence[Mapping[str, Any]]) -> None:
    """A start is on a pair with all its rows or with none, and all rows that are there cover the same queries."""
    pair = f"{cell.testset} {cell.query_lang}-{cell.doc_lang}"
    queries: dict[str, list[str]] = dict(group.group_by("system", maintain_order=True).agg("qid").iter_rows())
    starts, first = set(group["start"]), group["system"][0]
    for name in (row["id"] for row in rows if row["language"] == cell.language and row["start"] in starts):
        if name not in queries:
            todo = "rank and evaluate all rows of a start on the same pairs"
            raise UserError("ablation", f"row {name}", f"no scores on {pair}", todo)
        if queries[name] != queries[first]:
            problem = f"other queries on {pair} than row {first}"
            raise UserError("ablation", f"row {name}", problem, "evaluate both with the same judgements")


def _curve(start: str, scores: pl.DataFrame) -> Curve:
    points = scores.sort("examples", "seed", "qid").partition_by("examples", maintain_order=True)
    values, seeds = [], []
    for part in points:
        runs = [run["value"].to_numpy() for run in part.partition_by("seed", maintain_order=True)]
        values.append(np.mean(np.stack(runs), axis=0))
        seeds.append(len(runs))
    return Curve(start, tuple(part["examples"][0] for part in points), np.stack(values), tuple(seeds))


def curve_table(
    *,
    per_query: Paths,
    rows: Sequence[Mapping[str, Any]],
    out: str | Path,
    metric: str | None = None,
    resamples: int = 2000,
    seed: int = 1,
) -> None:
    """Write ``CURVE`` as CSV: mean and 95% bootstrap band of every start, language, test pair and number of examples.

    Args:
        per_query, rows: as for :func:`switchrank.ablation.table.ablation_table`.
        out: the CSV.
        metric: only this one; all when None.
        resamples, seed: of the bootstrap over queries; seeds are averaged first.

    Raises:
        UserError: see :func:`read_curves`.
    """
    points = []
    for cell, curves in read_curves(per_query, rows, metric=metric).items():
        for curve in curves:
            sampled = resampled_means(curve.values, resamples=resamples, seed=seed, purpose=cell)
            for number, examples in enumerate(curve.examples):
                values = curve.values[number]
                band = interval(sampled[:, number])
                points.append((curve.start, *cell, examples, mean(values), *band, len(values), curve.seeds[number]))
    write_table(pl.DataFrame(points, schema=pl.Schema(CURVE), orient="row"), out, CURVE)
