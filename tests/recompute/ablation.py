"""Fine-tuning on labelled queries: ablation.csv, ablation_curve.csv and equivalence.csv."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from switchrank.formats.tables import ABLATION, EQUIVALENCE
from tests.recompute.design import Row
from tests.recompute.finished import SMALL, Finished, Series, mean, over_seeds
from tests.recompute.rankings import Scores

_TAIL = 0.025
_ROUNDED = 1e-6
"""Numbers of labelled queries are written to a millionth."""
_PAIR = ("testset", "query_lang", "doc_lang", "metric")
_CURVE = {
    **dict.fromkeys(("start", "language", *_PAIR), pl.String),
    "examples": pl.Int64,
    **dict.fromkeys(("value", "low", "high"), pl.Float64),
    **dict.fromkeys(("queries", "seeds"), pl.Int64),
}
Curves = dict[tuple[str, ...], dict[str, dict[int, tuple[dict[str, float], int]]]]
"""By language, pair and metric, then start, then number of examples: each query's mean over seeds, and their number."""


def check_ablation(run: Finished) -> None:
    """Hold each row against the mean over queries of its runs."""
    expected = {
        (row.id, *series[1:4], metric): {
            "start": row.start,
            "language": row.language,
            "examples": row.examples,
            "seed": row.seed,
            "value": mean(values.values()),
            "epochs": _epochs(run, row),
        }
        for row, series, metrics in _row_scores(run)
        for metric, values in metrics.items()
    }
    run.check("ablation.csv", ABLATION, ("ablation", *_PAIR), expected)


def _epochs(run: Finished, row: Row) -> float:
    """Passes over the training pairs up to the step whose weights were kept, of the default objective."""
    if not row.examples:
        return 0.0
    told = json.loads((run.folder / "ablation" / "models" / row.id / "train.json").read_text(encoding="utf-8"))
    return told["kept"] * told["params"]["batch_size"] / told["pairs"]


def _row_scores(run: Finished) -> Iterator[tuple[Row, Series, Scores]]:
    """The scores of each row on each pair of its language and the source language.

    A row without examples has runs of its own or, where it has none, those of the system it starts from.
    """
    folder = run.folder / "runs"
    for row in run.design.rows:
        own = (folder / row.id / run.design.ablated).is_dir()
        system = row.id if own or row.examples else row.start
        for path in sorted((folder / system / run.design.ablated).glob(f"*/seed{row.seed}.trec")):
            query, _, document = path.parent.name.partition("-")
            if {query, document} <= {run.design.source, row.language}:
                series = Series(system, run.design.ablated, query, document, row.seed)
                yield row, series, run.scores.get(series) or run.scored(series)


def _curves(run: Finished) -> Curves:
    """Curves of the metric that is tested."""
    metric = run.design.tested[0]
    seeds: dict[Any, list[dict[str, float]]] = defaultdict(list)
    for row, series, metrics in _row_scores(run):
        seeds[(row.language, *series[1:4], metric), row.start, row.examples].append(metrics[metric])
    found: Curves = defaultdict(lambda: defaultdict(dict))
    for (cell, start, examples), many in sorted(seeds.items()):
        found[cell][start][examples] = (over_seeds(many), len(many))
    return found


def check_curve(run: Finished) -> None:
    """Means exactly; the ends of a band by the share of our own resampled means beyond them."""
    expected = {
        (start, *cell, examples): point
        for cell, starts in _curves(run).items()
        for start, points in starts.items()
        for examples, point in points.items()
    }
    keys = ("start", "language", *_PAIR, "examples")
    rows = run.table("ablation_curve.csv", _CURVE)
    for place, row, (values, seeds) in run.matched("ablation_curve.csv", rows, keys, expected):
        run.same(f"{place} value", row["value"], mean(values.values()))
        run.same(f"{place} queries", row["queries"], len(values))
        run.same(f"{place} seeds", row["seeds"], seeds)
        _check_ends(run, place, row, _resampled(run, [list(values.values())])[:, 0], SMALL)


def check_equivalence(run: Finished) -> None:
    """The first crossing of each curve with the reference without labels, and its band, queries drawn in pairs."""
    expected = {}
    for cell, starts in _curves(run).items():
        for start in set(run.design.compared) & starts.keys() if run.design.reference in starts else ():
            expected[start, *cell] = (starts[start], starts[run.design.reference][0][0])
    keys = ("start", "language", *_PAIR)
    rows = run.table("equivalence.csv", EQUIVALENCE)
    for place, row, (points, aim) in run.matched("equivalence.csv", rows, keys, expected):
        run.same(f"{place} reference", row["reference"], run.design.reference)
        run.same(f"{place} reference_value", row["reference_value"], mean(aim.values()))
        above = [[values[qid] - aim[qid] for qid in aim] for values, _ in points.values()]
        run.same(f"{place} examples", row["examples"], _crossing(list(points), list(map(mean, above))), _ROUNDED)
        needed = [_crossing(list(points), means) for means in _resampled(run, above).tolist()]
        drawn = np.array([math.inf if one is None else one for one in needed])
        _check_ends(run, place, row, drawn, _ROUNDED)


def _crossing(examples: list[int], above: list[float]) -> float | None:
    """Where a curve, straight between points over log2(1 + examples), first reaches 0; None where it never does."""
    if above[0] >= -SMALL:
        return 0.0
    for place in range(1, len(examples)):
        if above[place] >= -SMALL:
            left, right = (math.log2(1 + examples[number]) for number in (place - 1, place))
            share = min(1.0, -above[place - 1] / (above[place] - above[place - 1]))
            return 2 ** (left + share * (right - left)) - 1
    return None


def _resampled(run: Finished, values: list[list[float]]) -> np.ndarray:
    """Means over queries drawn with replacement, the same for all series: shape ``(draws, series)``."""
    queries = len(values[0])
    drawn = np.random.default_rng(0).multinomial(queries, np.full(queries, 1 / queries), size=run.draws)
    return drawn @ np.array(values).T / queries


def _check_ends(run: Finished, place: str, row: dict[str, Any], drawn: np.ndarray, rounding: float) -> None:
    """The ends of a percentile interval; an infinite one is null."""
    low, high = (math.inf if row[end] is None else row[end] for end in ("low", "high"))
    tails = (_TAIL, run.design.band)
    run.check_tail(f"{place} low", row["low"], drawn < low - rounding, drawn <= low + rounding, tails)
    run.check_tail(f"{place} high", row["high"], drawn > high + rounding, drawn >= high - rounding, tails)
