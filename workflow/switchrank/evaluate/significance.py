"""Is a system better than the baseline, and by how much: tests, corrections, intervals and effect sizes.

Per-query scores are averaged over seeds first, so that the sample is of queries, and one query counts once. All tests
are paired and two-sided.

Families, the tests that are corrected together, are declared before the results are seen. A family holds all
comparisons (systems times pairs) of one metric and one test within its scope. Systems set apart, such as reference
rankings and the points of a sweep, have families of their own and make no other test harder. Nor does a run that is the
baseline's own under another name, such as Translate-Test where nothing is translated: it is in none.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from switchrank.core.errors import UserError

Floats = NDArray[np.float64]
Correction = Literal["holm", "bonferroni", "none"]
CORRECTIONS: tuple[str, ...] = get_args(Correction)
Scope = Literal["setup", "testset", "run"]
SCOPES: dict[Scope, str] = {
    "setup": "within a test set and setup",
    "testset": "within a test set",
    "run": "over all test sets",
}
"""What a family spans, and how a legend says so."""
SAME = "same run"
"""In place of a family where a run is compared with itself."""
Interval = tuple[float, float] | tuple[None, None]
ROUNDING = 1e-12
"""Scores lie in 0 to 1: a difference below this is the rounding of a mean over seeds, not a difference."""
TIE = 1e-12
"""Sums that differ by less than this share of the sum of magnitudes are equal but for rounding, and count as ties."""
_CACHED = 2**19
"""Signs or counts held at once (4 MiB as float64): what fits the cache is multiplied several times faster."""


@dataclass(frozen=True)
class Difference:
    """Mean of the paired differences, its confidence interval (None with fewer than two queries) and two-sided p."""

    delta: float
    low: float | None
    high: float | None
    p_value: float


def paired_differences(values: Floats, baseline: Floats) -> Floats:
    """``values - baseline``, float64 of shape ``(queries,)``, where what is only rounding is exactly 0."""
    differences = values - baseline
    return np.where(np.abs(differences) < ROUNDING, 0.0, differences)


def mean(differences: Floats) -> float:
    """The correctly rounded mean, whatever the order of the queries."""
    return math.fsum(differences) / len(differences)


def constant(differences: Floats) -> bool:
    """Whether all differences are one number, but for rounding: then they have no spread to test against."""
    return float(np.ptp(differences)) < ROUNDING


def paired_t(differences: Floats, *, alpha: float) -> Difference:
    """Two-sided paired t-test of ``paired_differences`` with its ``1 - alpha`` t interval.

    Where all differences are one number the t statistic is not defined: p is 1 if that number is 0, else 0, and the
    interval is that number. With one query p is 1 and there is no interval.
    """
    delta = mean(differences)
    if len(differences) < 2:
        return Difference(delta, None, None, 1.0)
    if constant(differences):
        return Difference(delta, delta, delta, 1.0 if delta == 0 else 0.0)
    from scipy.stats import ttest_1samp

    result = ttest_1samp(differences, 0.0)
    interval = result.confidence_interval(1 - alpha)
    return Difference(delta, float(interval.low), float(interval.high), float(result.pvalue))


def corrected(p_values: list[float], *, correction: Correction, alpha: float) -> tuple[list[float], list[bool]]:
    """Corrected p values of one family and whether each is significant at ``alpha``."""
    if correction == "none":
        return p_values, [p <= alpha for p in p_values]
    from statsmodels.stats.multitest import multipletests

    reject, p_corrected, _, _ = multipletests(p_values, alpha=alpha, method=correction)
    return [float(p) for p in p_corrected], [bool(r) for r in reject]


def family(scope: str, row: Mapping[str, Any], *, apart: str = "") -> str:
    """Name of the family of a row with ``testset``, ``setup`` and ``metric``; ``apart`` is the name of the group of a
    system that is set apart, such as ``references``."""
    columns = {"setup": ("testset", "setup", "metric"), "testset": ("testset", "metric"), "run": ("metric",)}
    return " ".join([*(row[column] for column in columns[scope]), *([apart] if apart else [])])


def scope_of(row: Mapping[str, Any]) -> Scope:
    """What the family of a SIGNIFICANCE row spans, from its name."""
    return next(scope for scope in SCOPES if f"{row['family']} ".startswith(f"{family(scope, row)} "))


def span(row: Mapping[str, Any]) -> str:
    """What the family of a SIGNIFICANCE row spans, in words."""
    return SCOPES[scope_of(row)]


def fisher(differences: Floats, *, permutations: int, random: np.random.Generator) -> list[float]:
    """Fisher's randomisation test: two-sided p of each row of paired differences.

    How often would signs given by chance make the mean difference as large as it is? Recommended for per-query scores
    by Smucker, Allan and Carterette (2007, doi:10.1145/1321440.1321528).

    Args:
        differences: float64 of shape ``(systems, queries)``; rounding noise should be 0 already.
        permutations: up to this many sign patterns a row is enumerated and its p exact; beyond, so many are drawn.
        random: its signs are shared by all rows, so that a row's p does not depend on which others are there.

    Queries without a difference have no sign to flip and are left out: p is that of all 2^queries patterns. A drawn
    p is ``(1 + hits) / (1 + permutations)``, never 0 (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585). Memory is
    bounded by ``permutations`` doubles and a few MiB.
    """
    if permutations < 1:
        raise UserError("evaluate", "permutations", f"{permutations} is too few", "write 100000 or more")
    few = np.count_nonzero(differences, axis=1) <= math.log2(permutations)
    p_values = np.empty(len(differences))
    p_values[few] = [_enumerated(row[row != 0]) for row in differences[few]]
    if not few.all():
        p_values[~few] = _drawn(differences[~few], permutations, random)
    return [float(p_value) for p_value in p_values]


def _least(row: Floats) -> float:
    """The least magnitude of a sum that counts as at least as extreme as the sum of ``row``."""
    return abs(math.fsum(row)) - TIE * math.fsum(np.abs(row))


def _enumerated(row: Floats) -> float:
    sums = np.zeros(1)
    for difference in row:
        sums = np.concatenate([sums + difference, sums - difference])
    return float(np.mean(np.abs(sums) >= _least(row)))


def _drawn(rows: Floats, permutations: int, random: np.random.Generator) -> Floats:
    """A sign of -1 or +1 is twice a bit less one: the sum is twice that of the rows' differences whose bit is set."""
    queries = rows.shape[1]
    columns = np.ascontiguousarray(rows.T)
    totals = columns.sum(axis=0)
    least = np.array([_least(row) for row in rows])
    words = -(-queries // 64) * 8
    block = max(1, _CACHED // queries)
    chosen = np.empty((block, queries))
    hits = np.zeros(len(rows), dtype=np.int64)
    for start in range(0, permutations, block):
        size = min(block, permutations - start)
        bits = np.frombuffer(random.bytes(size * words), dtype=np.uint8).reshape(size, words)
        chosen[:size] = np.unpackbits(bits, axis=1, count=queries)
        hits += np.count_nonzero(np.abs(2 * (chosen[:size] @ columns) - totals) >= least, axis=0)
    return (1 + hits) / (1 + permutations)


def resampled_means(differences: Floats, *, resamples: int, random: np.random.Generator) -> Floats:
    """The mean of each row over queries drawn with replacement, as many as there are; the rows share the draws.

    Args:
        differences: float64 of shape ``(rows, queries)``.
        resamples: how many times queries are drawn.
        random: what draws them.

    Returns:
        float64 of shape ``(resamples, rows)``.
    """
    queries = differences.shape[1]
    columns = np.ascontiguousarray(differences.T)
    block = max(1, _CACHED // queries)
    means = np.empty((resamples, len(differences)))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        drawn = random.integers(0, queries, size=(size, queries)) + np.arange(size)[:, None] * queries
        counts = np.bincount(drawn.ravel(), minlength=size * queries).reshape(size, queries)
        means[start : start + size] = counts.astype(np.float64) @ columns
    means /= queries
    return means


def bootstrap_intervals(
    differences: Floats, *, resamples: int, alpha: float, random: np.random.Generator
) -> list[Interval]:
    """The ``1 - alpha`` percentile bootstrap interval of each row's mean difference; ``(None, None)`` for one query.

    Args:
        differences: float64 of shape ``(systems, queries)``.
        resamples: how many times as many queries are drawn with replacement.
        alpha: share of resampled means outside the interval, half at each end (linear interpolation).
        random: its draws are shared by all rows, so that a row's interval does not depend on which others are there.

    The percentile interval (Efron and Tibshirani 1993, "An introduction to the bootstrap", chapter 13) and not BCa
    (chapter 14), which is infinite where hardly a query differs and elsewhere moves the ends little. Test sets of a few
    dozen queries are better served by :func:`fisher`.
    """
    if resamples < 1:
        raise UserError("evaluate", "resamples", f"{resamples} is too few", "write 10000 or more")
    if differences.shape[1] < 2:
        return [(None, None)] * len(differences)
    means = resampled_means(differences, resamples=resamples, random=random)
    lows, highs = np.quantile(means, [alpha / 2, 1 - alpha / 2], axis=0)
    intervals: list[Interval] = []
    for row, low, high in zip(differences, lows, highs, strict=True):
        # Resampling one number gives that number, but for rounding.
        intervals.append((mean(row), mean(row)) if constant(row) else (float(low), float(high)))
    return intervals


def cohens_d(differences: Floats) -> float | None:
    """Mean over standard deviation (with n - 1) of paired differences: d_z (Lakens 2013, doi:10.3389/fpsyg.2013.00863).

    0 where nothing differs; None where there is a difference but no spread to measure it by (also: one query).
    """
    delta = mean(differences)
    if delta == 0:
        return 0.0
    return None if constant(differences) else delta / float(np.std(differences, ddof=1))
