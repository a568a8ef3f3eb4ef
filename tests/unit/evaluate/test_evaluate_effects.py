"""Bootstrap intervals and effect sizes against hand-made cases and scipy."""

import math
import warnings

import numpy as np
import pytest
from scipy.stats import bootstrap

from switchrank.core.seeds import generator
from switchrank.evaluate.significance import bootstrap_intervals, cohens_d

RNG = np.random.default_rng(11)


def intervals(*rows, resamples=10_000, alpha=0.05, seed=0):
    random = generator(seed, "bootstrap")
    return bootstrap_intervals(np.array(rows, dtype=float), resamples=resamples, alpha=alpha, random=random)


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_the_interval_is_the_percentile_interval_of_scipy(alpha):
    row = RNG.gamma(0.5, 0.4, 80) - 0.1
    ((low, high),) = intervals(row, resamples=20_000, alpha=alpha)
    scipy = bootstrap((row,), np.mean, n_resamples=20_000, confidence_level=1 - alpha, method="percentile", rng=RNG)
    width = scipy.confidence_interval.high - scipy.confidence_interval.low
    assert (low, high) == pytest.approx(tuple(scipy.confidence_interval), abs=0.04 * width)


def test_two_queries_have_three_resampled_means():
    """0 and 1 give means 0, 1/2 and 1 with chances 1/4, 1/2 and 1/4: the 95% interval is all of it, the 40% none."""
    assert intervals([0, 1]) == [(0, 1)]
    assert intervals([0, 1], alpha=0.6) == [(0.5, 0.5)]


def test_differences_without_spread_have_intervals_of_width_0_and_one_query_has_none():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert intervals(np.zeros(40), np.full(40, 0.1)) == [(0, 0), (0.1, 0.1)]
        assert intervals([0.3], [0]) == [(None, None)] * 2


def test_a_row_has_the_same_interval_whichever_rows_stand_beside_it():
    rows = RNG.random((3, 4001)) - 0.4
    together = intervals(*rows, resamples=500)
    apart = [intervals(row, resamples=500)[0] for row in rows]
    assert np.allclose(together, apart, atol=1e-14, rtol=0)
    assert together == intervals(*rows, resamples=500)
    assert together != intervals(*rows, resamples=500, seed=1)


def test_the_effect_size_is_the_mean_in_standard_deviations():
    assert cohens_d(np.array([1.0, 2, 3])) == pytest.approx(2)
    assert cohens_d(np.array([-1.0, 0, -2, -1])) == pytest.approx(-1 / math.sqrt(2 / 3))


def test_the_effect_size_is_0_without_differences_and_nothing_without_spread():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cohens_d(np.zeros(9)) == 0
        assert cohens_d(np.zeros(1)) == 0
        assert cohens_d(np.full(9, 0.1)) is None
        assert cohens_d(np.full(1, 0.1)) is None
