"""Is a system better than the baseline? Paired tests over queries, corrected over a family declared beforehand.

Per-query scores are averaged over seeds first, so that the sample is of queries, and one query counts once. Families
hold all comparisons (systems times pairs) of one test set, setup and metric; reference rankings, which are no
hypothesis of the experiment, have families of their own and make no other test harder.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from switchrank.errors import UserError

CORRECTIONS = ("holm", "bonferroni", "none")


@dataclass(frozen=True)
class Difference:
    """Mean of the paired differences, its confidence interval (None with fewer than two queries), two-sided p."""

    delta: float
    low: float | None
    high: float | None
    p_value: float


def paired_t(values: NDArray[np.float64], baseline: NDArray[np.float64], *, alpha: float) -> Difference:
    """Two-sided paired t-test of ``values - baseline`` with its ``1 - alpha`` t interval.

    Where all differences are the same number the t statistic is not defined: p is 1 if that number is 0, else 0, and
    the interval is that number. With one query p is 1 and there is no interval.
    """
    differences = values - baseline
    delta = math.fsum(differences) / len(differences)
    if len(differences) < 2:
        return Difference(delta, None, None, 1.0)
    if np.all(differences == differences[0]):
        return Difference(delta, delta, delta, 1.0 if delta == 0 else 0.0)
    from scipy.stats import ttest_rel

    result = ttest_rel(values, baseline)
    interval = result.confidence_interval(1 - alpha)
    return Difference(delta, float(interval.low), float(interval.high), float(result.pvalue))


def corrected(p_values: list[float], *, correction: str, alpha: float) -> tuple[list[float], list[bool]]:
    """Corrected p values of one family and whether each is significant at ``alpha``.

    Raises:
        UserError: the correction is not one of ``holm``, ``bonferroni``, ``none``.
    """
    if correction not in CORRECTIONS:
        raise UserError("evaluate", "correction", f"unknown value {correction}", f"write {', '.join(CORRECTIONS)}")
    if correction == "none":
        return p_values, [p <= alpha for p in p_values]
    from statsmodels.stats.multitest import multipletests

    reject, p_corrected, _, _ = multipletests(p_values, alpha=alpha, method=correction)
    return [float(p) for p in p_corrected], [bool(r) for r in reject]
