"""Fisher's randomisation test against enumeration by hand and scipy."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test

from switchrank.core.errors import UserError
from switchrank.core.seeds import generator
from switchrank.evaluate.significance import fisher

RNG = np.random.default_rng(7)


def p_values(*rows, permutations=100_000, seed=0):
    return fisher(np.array(rows, dtype=float), permutations=permutations, random=generator(seed, "fisher"))


def by_scipy(row, **options):
    options = {"n_resamples": np.inf, "rng": np.random.default_rng(1), "vectorized": True} | options
    return permutation_test((row,), np.mean, permutation_type="samples", **options).pvalue


def test_three_queries_by_hand():
    """Sums of the 8 patterns of 1, 2, 3: ±6, ±4, ±2, 0 and 0; of 1, 1, -1: ±3 once each and ±1 three times each."""
    assert p_values([1, 2, 3], [1, 2, -3], [2, 3, -1]) == [2 / 8, 1, 4 / 8]
    assert p_values([1, 1, 1], [1, 1, -1]) == [2 / 8, 1]


@pytest.mark.parametrize("size", [2, 5, 11])
def test_small_cases_are_exact_as_scipy_enumerates_them(size):
    rows = [RNG.normal(0.3, 1, size), RNG.integers(-3, 4, size) / 7, 1 / RNG.integers(1, 11, size) - 0.2]
    assert p_values(*rows) == pytest.approx([by_scipy(row) for row in rows], abs=1e-12)


def test_queries_without_a_difference_change_nothing_and_do_not_hinder_enumeration():
    row = np.array([0.5, 0.25, -0.1, 0.2])
    padded = np.concatenate([row, np.zeros(4)])
    assert p_values(padded) == p_values(row) == [by_scipy(row)]
    assert by_scipy(padded) == by_scipy(row)
    assert p_values(np.concatenate([row, np.zeros(5000)])) == p_values(row)


def test_no_difference_and_a_single_query_have_p_1():
    assert p_values(np.zeros(30), np.zeros(30)) == [1, 1]
    assert p_values([0.7]) == [1]
    assert p_values(np.zeros(1)) == [1]


def test_a_drawn_p_is_near_the_exact_one_and_never_0():
    row = np.round(RNG.normal(0.35, 1, 14), 2)
    exact = by_scipy(row)
    drawn = p_values(row, permutations=10_000)[0]
    assert drawn != exact
    assert drawn == pytest.approx(exact, abs=5 * (exact / 10_000) ** 0.5)
    assert p_values(np.ones(60), permutations=999) == [1 / 1000]


def test_ties_count_as_extreme_when_signs_are_drawn():
    """Tenths and thirds have no exact double: sums that are equal on paper differ in their last digits."""
    scaled = [p_values(np.array([6, 3, 2, -1] * 10) * size, permutations=2000)[0] for size in (1, 0.1, 1 / 3)]
    assert len(set(scaled)) == 1
    assert p_values(np.array([0.1, 0.2, -0.3] * 20), permutations=2000) == [1]


def test_a_row_has_the_same_p_whichever_rows_stand_beside_it():
    rows = RNG.choice([0, 0, 0.1, 0.5, -0.5, 1 / 3], size=(5, 300))
    together = p_values(*rows, permutations=3000)
    assert together == [p_values(row, permutations=3000)[0] for row in rows]
    assert together == p_values(*rows, permutations=3000)
    assert together != p_values(*rows, permutations=3000, seed=1)


def test_many_queries_are_drawn_in_blocks_that_add_up():
    row = RNG.normal(0.01, 1, 4001)
    p_value = p_values(row, permutations=2000)[0]
    assert p_value == pytest.approx(by_scipy(row, n_resamples=2000, batch=200), abs=0.08)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=1, max_size=9), st.floats(0.01, 100))
def test_p_is_the_share_of_patterns_at_least_as_extreme_whatever_sign_or_scale(row, scale):
    row = np.array(row)
    sums = [
        abs(sum(s * x for s, x in zip(signs, row, strict=True)))
        for signs in itertools.product([1, -1], repeat=len(row))
    ]
    expected = sum(total >= abs(sum(row)) - 1e-9 for total in sums) / len(sums)
    assert p_values(row, -row, row * scale) == pytest.approx([expected] * 3)


def test_without_permutations_there_is_no_test():
    with pytest.raises(UserError, match="0 is too few"):
        p_values([1, 2], permutations=0)
