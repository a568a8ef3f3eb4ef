"""The tables of the ablation: the mean of every run, learning curves, and what a start is worth in labels.

The mean curve of a start, over ``log2(1 + examples)``, is interpolated piecewise linearly. How many labelled queries it
needs to reach a reference without any is the *first* place where it does, whether or not it dips below again: no other
reading is earlier, so the worth of the reference is never overstated. Beyond the last point nothing is extrapolated.

Intervals are 95% percentile bootstraps over queries, seeds averaged, the same queries drawn for all curves that are
compared. A resample that never reaches the reference counts as infinite; an infinite end is null. So where ``examples``
is null and ``low`` is not, some resamples reach it; where ``high`` is null, more than 2.5% do not.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.ablation.rows import Row, check_starts
from switchrank.core.errors import UserError
from switchrank.core.seeds import generator
from switchrank.formats.tables import ABLATION, CURVE, EQUIVALENCE, PER_QUERY, read_table, write_table

Paths = str | Path | Sequence[str | Path]
Floats = NDArray[np.float64]
_BLOCK_DRAWS = 1 << 20
_ENDS = (0.025, 0.975)
"""Quantiles that a 95% interval lies between."""
_ROUNDING = 1e-12
"""Means that differ by less are equal: seed averages of equal scores may differ in their last bits."""


class Cell(NamedTuple):
    """Labelled language, test pair and metric: curves of one cell are compared."""

    language: str
    testset: str
    query_lang: str
    doc_lang: str
    metric: str


class Scores(NamedTuple):
    """One run under one metric: ``qids`` ascending, ``values`` beside them."""

    row: Row
    cell: Cell
    qids: pl.Series
    values: Floats


def mean(values: Floats) -> float:
    """The correctly rounded mean, whatever the order of the values."""
    return math.fsum(values) / len(values)


def read_scores(per_query: Paths, rows: Sequence[Row], *, metric: str | None = None) -> list[Scores]:
    """The scores of every run of the ablation, rows in the order of the table, then by test set, pair and metric.

    Scores of other systems are left out. UserError for a row without scores (of the metric), scores under a seed that
    is not the row's, a query scored twice.
    """
    settings = {row.id: row for row in rows}
    found: dict[tuple[str, Cell], Scores] = {}
    for path in [per_query] if isinstance(per_query, str | Path) else per_query:
        table = read_table(path, PER_QUERY).filter(pl.col("system").is_in(list(settings)))
        if metric is not None:
            table = table.filter(metric=metric)
        for key, part in table.partition_by("system", *Cell._fields[1:], as_dict=True).items():
            row, ordered = settings[key[0]], part.sort("qid")
            cell = Cell(row.language, *key[1:])
            _check(path, row, cell, part, twice=(row.id, cell) in found)
            found[row.id, cell] = Scores(row, cell, ordered["qid"], ordered["value"].to_numpy())
    places = {name: number for number, name in enumerate(settings)}
    for missing in sorted(places.keys() - {name for name, _ in found}, key=places.__getitem__):
        what = f"no {metric}" if metric else "no scores"
        raise UserError("ablation", f"row {missing}", what, "rank and evaluate the model of every row")
    return sorted(found.values(), key=lambda run: (places[run.row.id], *run.cell[1:]))


def _check(path: str | Path, row: Row, cell: Cell, part: pl.DataFrame, *, twice: bool) -> None:
    other = part["seed"].filter(part["seed"] != row.seed)
    if len(other):
        problem = f"scored under seed {other[0]}, the table says {row.seed}"
        raise UserError(path, f"row {row.id}", problem, "evaluate the runs of this table")
    if twice or part["qid"].n_unique() < part.height:
        place = f"row {row.id} {cell.testset} {cell.query_lang}-{cell.doc_lang}"
        raise UserError(path, place, "a query is scored twice", "give every test set and run once")


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
    means = [
        (*astuple(row), *cell[1:], mean(values), epochs.get(row.id, 0.0))
        for row, cell, _, values in read_scores(per_query, rows)
    ]
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


@dataclass(frozen=True)
class Curve:
    """One start in one cell: ``examples`` ascending, how many ``seeds`` each point has, and ``values`` of shape
    ``(points, queries)``, averaged over them; queries are in the same order in all curves of a cell."""

    start: str
    examples: tuple[int, ...]
    values: Floats
    seeds: tuple[int, ...]


def read_curves(per_query: Paths, rows: Sequence[Row], *, metric: str | None = None) -> dict[Cell, list[Curve]]:
    """The curves by cell; languages and starts in the order of ``rows``, cells of a language by name.

    UserError as :func:`read_scores`, for runs of a cell that cover different queries, and for a row without a test pair
    that others of its start and language have.
    """
    languages = [row.language for row in rows]
    cells: dict[Cell, list[Scores]] = {}
    for run in read_scores(per_query, rows, metric=metric):
        cells.setdefault(run.cell, []).append(run)
    curves = {}
    for cell, runs in sorted(cells.items(), key=lambda entry: (languages.index(entry[0].language), *entry[0][1:])):
        _check_complete(cell, runs, rows)
        starts = dict.fromkeys(run.row.start for run in runs)
        curves[cell] = [_curve(start, [run for run in runs if run.row.start == start]) for start in starts]
    return curves


def _check_complete(cell: Cell, runs: list[Scores], rows: Sequence[Row]) -> None:
    """A start is on a pair with all its rows or with none, and all rows that are there cover the same queries."""
    pair = f"{cell.testset} {cell.query_lang}-{cell.doc_lang}"
    starts, there = {run.row.start for run in runs}, {run.row.id for run in runs}
    for row in rows:
        if row.language == cell.language and row.start in starts and row.id not in there:
            todo = "rank and evaluate all rows of a start on the same pairs"
            raise UserError("ablation", f"row {row.id}", f"no scores on {pair}", todo)
    for run in runs:
        if not run.qids.equals(runs[0].qids):
            problem = f"other queries on {pair} than row {runs[0].row.id}"
            raise UserError("ablation", f"row {run.row.id}", problem, "evaluate both with the same judgements")


def _curve(start: str, runs: list[Scores]) -> Curve:
    points: dict[int, list[Floats]] = {}
    for run in sorted(runs, key=lambda run: (run.row.examples, run.row.seed)):
        points.setdefault(run.row.examples, []).append(run.values)
    means = np.stack([np.mean(np.stack(seeds), axis=0) for seeds in points.values()])
    return Curve(start, tuple(points), means, tuple(map(len, points.values())))


def curve_table(
    *,
    per_query: Paths,
    rows: Sequence[Row],
    out: str | Path,
    metric: str | None = None,
    resamples: int = 2000,
    seed: int = 1,
) -> None:
    """Write CURVE: mean and 95% bootstrap band of every start, language, test pair and number of examples.

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


def equivalence_table(
    *,
    per_query: Paths,
    rows: Sequence[Row],
    reference: str,
    starts: Sequence[str],
    out: str | Path,
    metric: str = "mrr@10",
    resamples: int = 2000,
    seed: int = 1,
) -> None:
    """Write EQUIVALENCE: for each language and test pair, the labelled queries each start needs to reach ``reference``.

    Args:
        per_query: PER_QUERY tables in which each row's id is a system.
        rows: the ablation table (.tsv).
        reference: start whose value without labels is to be reached, such as ml-cs.
        starts: starts that are to reach it, such as zero-shot. One that has no rows in a language, or no scores on a
            pair, is left out there, and so are pairs on which the reference has no scores.
        out: table to write (.csv); languages in the order of ``rows``, test pairs by name, starts as given.
        metric: which metric.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        UserError: a start or the reference has no rows, or none with 0 examples in one of its languages; see also
            :func:`read_curves`.
    """
    check_starts(rows, reference, starts)
    answers = []
    for cell, curves in read_curves(per_query, rows, metric=metric).items():
        known = {curve.start: curve for curve in curves}
        compared = [known[start] for start in starts if start in known]
        if reference not in known or not compared:
            continue
        aim = known[reference].values[0]
        above = [curve.values - aim for curve in compared]
        sampled = resampled_means(np.concatenate(above), resamples=resamples, seed=seed, purpose=cell)
        parts = np.split(sampled, np.cumsum([len(values) for values in above])[:-1], axis=1)
        for curve, values, part in zip(compared, above, parts, strict=True):
            point = crossings(curve.examples, np.array([[mean(one) for one in values]]))[0]
            found = (float(point), *interval(crossings(curve.examples, part)))
            needed = [round(number, 6) if np.isfinite(number) else None for number in found]
            answers.append((curve.start, reference, *cell, mean(aim), *needed))
    write_table(pl.DataFrame(answers, schema=pl.Schema(EQUIVALENCE), orient="row"), out, EQUIVALENCE)


def crossings(examples: Sequence[int], above: Floats) -> Floats:
    """How many examples it takes until curves first reach 0, shape ``(curves,)``; infinite where they never do.

    Args:
        examples: of the points, ascending, the first 0; shape ``(points,)``.
        above: how far each curve is above the reference; shape ``(curves, points)``.
    """
    reached = above >= -_ROUNDING
    place = reached.argmax(axis=1)
    found = np.where(reached.any(axis=1), 0.0, np.inf)
    inside = np.flatnonzero(place > 0)
    later = place[inside]
    x = np.log2(1.0 + np.asarray(examples))
    y0, y1 = above[inside, later - 1], above[inside, later]
    share = np.minimum(-y0 / (y1 - y0), 1.0)
    found[inside] = np.exp2(x[later - 1] + share * (x[later] - x[later - 1])) - 1.0
    return found


def resampled_means(values: Floats, *, resamples: int, seed: int, purpose: tuple[str, ...]) -> Floats:
    """Means over queries drawn with replacement, the same draws for every series: shape ``(resamples, series)``.

    ``values`` has shape ``(series, queries)``. Equal ``seed``, ``purpose`` and numbers of queries give the same draws.
    UserError for less than one resample.
    """
    if resamples < 1:
        raise UserError("ablation", "resamples", f"{resamples}", "give a whole number from 1, such as 2000")
    queries = values.shape[1]
    random = generator(seed, "bootstrap", *purpose)
    block = max(1, _BLOCK_DRAWS // queries)
    parts = []
    for first in range(0, resamples, block):
        rows = min(block, resamples - first)
        drawn = random.integers(queries, size=(rows, queries)) + queries * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * queries).reshape(rows, queries)
        # einsum without BLAS: the sum does not depend on the number of threads
        parts.append(np.einsum("rq,sq->rs", counts.astype(np.float64), values) / queries)
    return np.concatenate(parts)


def interval(samples: Floats) -> tuple[float, float]:
    """The 95% percentile interval of ``samples``, shape ``(resamples,)``, which may be infinite.

    Its ends are samples themselves, so that none lies between a number and infinity.
    """
    low, high = np.quantile(samples, _ENDS, method="inverted_cdf")
    return float(low), float(high)
