"""What a start is worth in labels: how many labelled queries another start needs to reach it.

The mean curve of a start, over ``log2(1 + examples)``, is interpolated piecewise linearly. The answer is the *first*
place where it reaches the reference, which has no labels. Curves need not be monotone: one that dips below the
reference again later has reached it all the same, and one that dips first is followed from its first point on. The
first crossing is never later than any other reading, so the worth of the reference is never overstated. Beyond the
last point nothing is extrapolated.

``low`` and ``high`` are the ends of a 95% percentile bootstrap over queries, seeds averaged, the same queries drawn for
start and reference. A resample that never reaches counts as infinite; an infinite end is null. So ``examples`` null
with a ``low`` says that a part of the resamples does reach, and ``high`` null that more than 2.5% do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from switchrank.ablation.bootstrap import interval, resampled_means
from switchrank.ablation.curve import read_curves
from switchrank.ablation.rows import check_starts
from switchrank.ablation.scores import Floats, Paths, mean
from switchrank.formats.tables import EQUIVALENCE, write_table

_ROUNDING = 1e-12
"""Means that differ by less are equal: seed averages of equal scores may differ in their last bits."""


def crossings(examples: Sequence[int], above: Floats) -> Floats:
    """How many examples until curves first reach 0.

    Args:
        examples: of the points, ascending, the first 0; shape ``(points,)``.
        above: how far each curve is above the reference; shape ``(curves, points)``.

    Returns:
        Shape ``(curves,)``: 0 where a curve starts at or above the reference, infinite where it never gets there.
    """
    reached = above >= -_ROUNDING
    place = reached.argmax(axis=1)
    found = np.where(reached.any(axis=1), 0.0, np.inf)
    inside = np.flatnonzero(reached.any(axis=1) & (place > 0))
    later = place[inside]
    x = np.log2(1.0 + np.asarray(examples))
    y0, y1 = above[inside, later - 1], above[inside, later]
    share = np.minimum(-y0 / (y1 - y0), 1.0)
    found[inside] = np.exp2(x[later - 1] + share * (x[later] - x[later - 1])) - 1.0
    return found


def equivalence_table(
    *,
    per_query: Paths,
    rows: Sequence[Mapping[str, Any]],
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
            :func:`switchrank.ablation.curve.read_curves`.
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
            needed = _needed(curve.examples, values, part)
            answers.append((curve.start, reference, *cell, mean(aim), *needed))
    table = pl.DataFrame(answers, schema=pl.Schema(EQUIVALENCE), orient="row")
    write_table(table, out, EQUIVALENCE)


def _needed(examples: Sequence[int], above: Floats, sampled: Floats) -> tuple[float | None, ...]:
    """The crossing of the mean curve and the ends of its interval, to a millionth of a query; None for infinite."""
    point = crossings(examples, np.array([[mean(values) for values in above]]))[0]
    found = (float(point), *interval(crossings(examples, sampled)))
    return tuple(round(number, 6) if np.isfinite(number) else None for number in found)
