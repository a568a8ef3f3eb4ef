"""RankC and rank correlation against values worked out by hand, RankC against its definition, sets and all, rank
correlation against SciPy's."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from switchrank.evaluate.consistency import Rankings, rank_correlation, rankc

E = math.e


def places(ranking, documents):
    return np.array([ranking.index(d) + 1 if d in ranking else 0 for d in documents])


def one(first, second, depth=None):
    """RankC of two rankings of one query."""
    documents = sorted({*first, *second})
    values, queries = rankc(places(first, documents), places(second, documents), np.zeros(len(documents), int), depth)
    assert queries.tolist() == [0]
    return float(values[0])


def defined(first, second, depth=None):
    """RankC as METHODS 2.7 writes it."""
    first, second = [d for d in first if d in second], [d for d in second if d in first]
    n = min(len(first), depth or len(first))
    weights = np.exp(np.arange(n, 0, -1.0))
    weights /= weights.sum()
    return sum(weights[j - 1] * len({*first[:j]} & {*second[:j]}) / j for j in range(1, n + 1))


GOLDEN = {
    # top 1 differs (0 / 1), top 2 is the same (2 / 2); weights e^2 and e^1
    ("ab", "ba"): E / (E**2 + E),
    # overlaps 1/1, 1/2, 3/3; weights e^3, e^2, e^1
    ("abc", "acb"): (E**3 + E**2 / 2 + E) / (E**3 + E**2 + E),
    # overlaps 0/1, 0/2, 2/3 (a and c), 4/4; weights e^4 to e^1
    ("abcd", "cdab"): (E**2 * 2 / 3 + E) / (E**4 + E**3 + E**2 + E),
    # only a, b and d are common: abd against dab, overlaps 0/1, 1/2, 3/3
    ("axbd", "dyab"): (E**2 / 2 + E) / (E**3 + E**2 + E),
    ("a", "a"): 1.0,
}


@pytest.mark.parametrize("pair", GOLDEN)
def test_rankc_is_what_it_is_by_hand(pair):
    assert one(*pair) == pytest.approx(GOLDEN[pair], rel=1e-14)


def test_a_depth_cuts_the_common_candidates():
    assert one("axbdc", "dyabc", depth=2) == pytest.approx((0 * E**2 + E * 1 / 2) / (E**2 + E))
    assert one("abc", "acb", depth=1) == pytest.approx(1)
    assert one("abc", "acb", depth=99) == one("abc", "acb")


DOCUMENTS = "abcdefghijklmnopqrstuvwxyz"
rankings = st.permutations(DOCUMENTS).flatmap(lambda r: st.integers(1, 26).map(lambda n: "".join(r[:n])))
depths = st.none() | st.integers(1, 30)


@given(first=rankings, second=rankings, depth=depths)
def test_rankc_is_its_definition_symmetric_and_at_most_1(first, second, depth):
    if not {*first} & {*second}:
        return
    value = one(first, second, depth)
    assert value == pytest.approx(defined(first, second, depth), abs=1e-12)
    assert value == one(second, first, depth)
    assert 0 <= value <= 1 + 1e-12


@given(ranking=rankings, depth=depths)
def test_rankc_of_identical_rankings_is_1(ranking, depth):
    assert one(ranking, ranking, depth) == pytest.approx(1, abs=1e-14)


def test_long_lists_neither_overflow_nor_lose_the_first_ranks():
    """The weights of ranks past 745 are below the smallest number; e^5000 itself would be infinite."""
    size = 5000
    same = np.arange(1, size + 1)
    swapped = np.concatenate([[2, 1], same[2:]])
    owner = np.zeros(size, int)
    assert rankc(same, same, owner)[0] == pytest.approx(1)
    # all overlaps are full but the first: 1 - w_1 = exp(-1)
    assert rankc(same, swapped, owner)[0] == pytest.approx(math.exp(-1))


def test_queries_do_not_touch_each_other_and_those_without_a_common_candidate_have_no_value():
    owner = np.array([2, 0, 2, 1, 0, 0])
    first, second = np.array([1, 2, 2, 1, 1, 3]), np.array([2, 2, 1, 0, 1, 3])
    values, queries = rankc(first, second, owner)
    assert queries.tolist() == [0, 2]
    assert values == pytest.approx([1.0, E / (E**2 + E)])
    assert [found.tolist() for found in rankc(first, 0 * second, owner)] == [[], []]


def test_rankings_of_several_languages_are_matched_by_query_and_document():
    lists = {"en": {"q1": "ab", "q2": "abc"}, "de": {"q2": "acb", "q3": "a"}, "it": {"q1": "xba", "q2": "zabc"}}
    kept = Rankings()
    for language, asked in lists.items():
        rows = [(qid, d, place) for qid, docids in asked.items() for place, d in enumerate(docids, 1)]
        kept.add(language, pl.DataFrame(rows, schema=["qid", "docid", "place"], orient="row"))
    found = {pair: values.tolist() for pair, values in kept.compared(rankc).items()}
    assert found == {
        ("en", "de"): pytest.approx([defined("abc", "acb")]),
        ("en", "it"): pytest.approx([defined("ab", "ba"), 1]),
        ("de", "it"): pytest.approx([defined("acb", "abc")]),
    }


def correlated(first, second):
    """The rank correlation of two rankings of one query; None if there is none."""
    documents = sorted({*first, *second})
    owner = np.zeros(len(documents), int)
    values, queries = rank_correlation(places(first, documents), places(second, documents), owner)
    assert len(values) == len(queries)
    return float(values[0]) if len(values) else None


CORRELATIONS = {
    ("abcd", "abcd"): 1.0,
    ("abcd", "dcba"): -1.0,
    # 1 - 6 * (0 + 1 + 1) / (3 * 8)
    ("abc", "acb"): 0.5,
    # 1 - 6 * (4 + 4 + 4 + 4) / (4 * 15)
    ("abcd", "cdab"): -0.6,
    # ranks 1, 2, 3 and, c not being found, 1, 2, 3
    ("abc", "ab"): 1.0,
    # a b c d have ranks 1, 2, 3.5, 3.5 and 3.5, 3.5, 1, 2: deviations -1.5 -.5 1 1 and 1 1 -1.5 -.5
    ("ab", "cd"): (-1.5 - 0.5 - 1.5 - 0.5) / (2.25 + 0.25 + 1 + 1),
    ("a", "b"): -1.0,
}


@pytest.mark.parametrize("pair", CORRELATIONS)
def test_the_rank_correlation_is_what_it_is_by_hand(pair):
    assert correlated(*pair) == pytest.approx(CORRELATIONS[pair], rel=1e-14)


@given(first=rankings, second=rankings)
def test_the_rank_correlation_is_that_of_scipy_with_what_a_list_lacks_tied_after_its_last(first, second):
    documents = sorted({*first, *second})
    if len(documents) < 2:
        assert correlated(first, second) is None
        return
    ranks = [[one.find(d) if d in one else len(one) for d in documents] for one in (first, second)]
    expected = spearmanr(*ranks).statistic
    assert correlated(first, second) == pytest.approx(expected, abs=1e-12)
    assert correlated(first, second) == correlated(second, first)


def test_queries_correlate_apart_and_those_without_a_candidate_in_one_ranking_have_no_value():
    owner = np.array([2, 0, 2, 1, 0, 0, 3])
    first, second = np.array([1, 2, 2, 1, 1, 3, 1]), np.array([2, 2, 1, 0, 1, 3, 1])
    values, queries = rank_correlation(first, second, owner)
    assert queries.tolist() == [0, 2]
    assert values == pytest.approx([1, -1])
