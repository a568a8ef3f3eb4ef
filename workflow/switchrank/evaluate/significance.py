"""Is a system better than the baseline? The paired t-test over queries, and the correction for many tests.

Per-query scores are averaged over seeds first, so that the sample is of queries, and one query counts once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from switchrank.core.errors import UserError

Correction = Literal["holm", "bonferroni", "none"]
CORRECTIONS: tuple[str, ...] = get_args(Correction)
ROUNDING = 1e-12
"""Scores lie in 0 to 1: a difference below this is the rounding of a mean over seeds, not a difference."""


@dataclass(frozen=True)
class Difference:
    """Mean of the paired differences, its confidence interval (None with fewer than two queries), two-sided p."""

    delta: float
    low: float | None
    high: float | None
    p_value: float


def paired_differences(values: NDArray[np.float64], baseline: NDArray[np.float64]) -> NDArray[np.float64]:
    """``values - baseline``, float64 of shape ``(queries,)``, where what is only rounding is exactly 0."""
    differences = values - baseline
    return np.where(np.abs(differences) < ROUNDING, 0.0, differences)


def mean(differences: NDArray[np.float64]) -> float:
    """The correctly rounded mean, whatever the order of the queries."""
    return math.fsum(differences) / len(differences)


def constant(differences: NDArray[np.float64]) -> bool:
    """Whether all differences are one number, but for rounding: then they have no spread to test against."""
    return float(np.ptp(differences)) < ROUNDING


def paired_t(differences: NDArray[np.float64], *, alpha: float) -> Difference:
    """Two-sided paired t-test of ``paired_differences`` with its ``1 - alpha`` t interval.

    Where all differences are the same number the t statistic is not defined: p is 1 if that number is 0, else 0, and
    the interval is that number. With one query p is 1 and there is no interval.
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


def check_correction(correction: str) -> None:
    """Raise UserError unless the correction is one of ``holm``, ``bonferroni``, ``none``."""
    if correction not in CORRECTIONS:
        raise UserError("evaluate", "correction", f"unknown value {correction}", f"write {', '.join(CORRECTIONS)}")


def corrected(p_values: list[float], *, correction: str, alpha: float) -> tuple[list[float], list[bool]]:
    """Corrected p values of one family and whether each is significant at ``alpha``.

    Raises:
        UserError: the correction is not one of ``holm``, ``bonferroni``, ``none``.
    """
    check_correction(correction)
    if correction == "none":
        return p_values, [p <= alpha for p in p_values]
    from statsmodels.stats.multitest import multipletests

    reject, p_corrected, _, _ = multipletests(p_values, alpha=alpha, method=correction)
    return [float(p) for p in p_corrected], [bool(r) for r in reject]
