"""Learning curves: the score of a starting model over the number of labelled queries, with its bootstrap band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from switchrank.ablation.bootstrap import interval, resampled_means
from switchrank.ablation.scores import Floats, Paths, Scores, mean, read_scores
from switchrank.core.errors import UserError
from switchrank.formats.tables import CURVE, write_table


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


def read_curves(
    per_query: Paths, rows: Sequence[Mapping[str, Any]], *, metric: str | None = None
) -> dict[Cell, list[Curve]]:
    """The curves by cell; languages and starts in the order of ``rows``, cells of a language by name.

    Raises:
        UserError: see :func:`switchrank.ablation.scores.read_scores`; runs of a cell that cover different queries, or
            a row without a test pair that others of its start and language have.
    """
    cells: dict[Cell, list[Scores]] = {}
    for run in read_scores(per_query, rows, metric=metric):
        cell = Cell(run.row.language, run.testset, run.query_lang, run.doc_lang, run.metric)
        cells.setdefault(cell, []).append(run)
    languages = list(dict.fromkeys(str(row["language"]) for row in rows))
    curves = {}
    for cell in sorted(cells, key=lambda cell: (languages.index(cell.language), *cell[1:])):
        runs = cells[cell]
        _check_complete(cell, runs, rows)
        starts = dict.fromkeys(run.row.start for run in runs)
        curves[cell] = [_curve(start, [run for run in runs if run.row.start == start]) for start in starts]
    return curves


def _check_complete(cell: Cell, runs: list[Scores], rows: Sequence[Mapping[str, Any]]) -> None:
    """A start is on a pair with all its rows or with none, and all rows that are there cover the same queries."""
    pair = f"{cell.testset} {cell.query_lang}-{cell.doc_lang}"
    starts, there = {run.row.start for run in runs}, {run.row.id for run in runs}
    for row in rows:
        if row["language"] == cell.language and row["start"] in starts and row["id"] not in there:
            todo = "rank and evaluate all rows of a start on the same pairs"
            raise UserError("ablation", f"row {row['id']}", f"no scores on {pair}", todo)
    for run in runs:
        if not run.qids.equals(runs[0].qids):
            problem = f"other queries on {pair} than row {runs[0].row.id}"
            raise UserError("ablation", f"row {run.row.id}", problem, "evaluate both with the same judgements")


def _curve(start: str, runs: list[Scores]) -> Curve:
    points: dict[int, list[Scores]] = {}
    for run in sorted(runs, key=lambda run: (run.row.examples, run.row.seed)):
        points.setdefault(run.row.examples, []).append(run)
    values = [np.mean(np.stack([run.values for run in seeds]), axis=0) for seeds in points.values()]
    return Curve(start, tuple(points), np.stack(values), tuple(len(seeds) for seeds in points.values()))


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
        per_query: PER_QUERY tables in which each row's id is a system.
        rows: the ablation table (.tsv).
        out: table to write (.csv).
        metric: only this metric.
        resamples: of the bootstrap over queries; seeds are averaged first.
        seed: of the bootstrap.

    Raises:
        UserError: see :func:`read_curves`.
    """
    points = []
    for cell, curves in read_curves(per_query, rows, metric=metric).items():
        every = np.concatenate([curve.values for curve in curves])
        sampled = iter(resampled_means(every, resamples=resamples, seed=seed, purpose=cell).T)
        for curve in curves:
            for examples, values, seeds in zip(curve.examples, curve.values, curve.seeds, strict=True):
                band = interval(next(sampled))
                points.append((curve.start, *cell, examples, mean(values), *band, len(values), seeds))
    write_table(pl.DataFrame(points, schema=pl.Schema(CURVE), orient="row"), out, CURVE)
