"""Seeds: independent streams per purpose, draws that do not depend on how work is split."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from switchrank.core.seeds import continue_state, counter_bits, counter_state, counter_uniform, derive_seed, generator


def test_purposes_have_streams_of_their_own():
    seeds = {
        derive_seed(1, "a"),
        derive_seed(1, "b"),
        derive_seed(2, "a"),
        derive_seed(1, "a", "b"),
        derive_seed(1, "ab"),
    }
    assert len(seeds) == 5
    assert generator(1, "a").random() == generator(1, "a").random()


@given(st.integers(1, 60), st.integers(0, 2**62))
def test_draws_of_a_row_are_the_same_in_any_shard(cut, key):
    rows = np.arange(64)
    whole = counter_uniform(key, rows, 1, 7)
    parts = [counter_uniform(key, rows[:cut], 1, 7), counter_uniform(key, rows[cut:], 1, 7)]
    assert np.array_equal(whole, np.concatenate(parts))


def test_draws_are_uniform_and_uncorrelated():
    draws = counter_uniform(derive_seed(1, "test"), np.arange(500)[:, None], 0, np.arange(200)[None, :])
    assert draws.min() >= 0
    assert draws.max() < 1
    assert stats.kstest(draws.ravel(), "uniform").pvalue > 0.001
    assert abs(np.corrcoef(draws[:, :-1].ravel(), draws[:, 1:].ravel())[0, 1]) < 0.01


def test_the_order_of_coordinates_matters():
    assert counter_uniform(1, 2, 3) != counter_uniform(1, 3, 2)


def test_bits_are_splitmix64_from_each_state():
    """The generator of Steele, Lea and Flood, in plain Python."""
    whole, states = 2**64 - 1, [0, 2**64 - 3, 17]

    def finalised(state):
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & whole
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & whole
        return state ^ (state >> 31)

    expected = [
        [finalised(state + j // 4 * 0x9E3779B97F4A7C15 & whole) >> 16 * (j % 4) & 0xFFFF for j in range(70_001)]
        for state in states
    ]
    assert counter_bits(np.array(states, np.uint64), 70_001).tolist() == expected


def test_a_state_continues_with_a_coordinate():
    expected = counter_state(5, np.arange(3), 7)
    assert np.array_equal(continue_state(counter_state(5, np.arange(3)), 7), expected)
