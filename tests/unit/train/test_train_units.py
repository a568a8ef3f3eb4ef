"""Groups: a positive and negatives of its own query, wherever they lie, and micro-batches that keep them whole."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.core.errors import UserError
from switchrank.models.encode import by_length
from switchrank.train.units import Groups, Units


def groups_of(*pairs):
    """Groups of pairs written ``a+`` (a relevant passage of query a) or ``a-``."""
    labels = np.array([pair[-1] == "+" for pair in pairs], np.float32)
    return Groups(pl.Series([pair[:-1] for pair in pairs], dtype=pl.String), labels, "train.parquet")


def listed(groups):
    return [groups.rows(np.array([number])).tolist() for number in range(len(groups))]


def test_judged_pairs_fall_into_each_positive_and_the_negatives_that_follow_it():
    assert listed(groups_of("a+", "a-", "a-", "b+", "b-", "b-")) == [[0, 1, 2], [3, 4, 5]]


def test_a_query_with_several_positives_keeps_each_with_its_own_negatives():
    assert listed(groups_of("a+", "a-", "a-", "a+", "a-", "a-", "b+", "b-")) == [[0, 1, 2], [3, 4, 5], [6, 7]]


def test_every_round_over_the_judged_pairs_makes_groups_of_its_own():
    once = ["a+", "a-", "b+", "b-"]
    assert listed(groups_of(*once, *once)) == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_rows_of_other_queries_may_lie_between():
    assert listed(groups_of("a+", "b+", "a-", "b-", "a-")) == [[0, 2, 4], [1, 3]]


def test_a_walk_along_triples_is_put_together_by_query():
    first_five, second_five = ["a+", "b-", "c-", "d-", "b-"], ["b+", "a-", "a-", "c-", "a-"]
    assert listed(groups_of(*first_five, *second_five)) == [[0, 6, 7, 9], [5, 1, 4]]


def test_the_negatives_of_a_query_are_dealt_to_its_positives_in_equal_shares():
    assert listed(groups_of("a+", "a+", "a-", "a-", "a-", "a-")) == [[0, 2, 3], [1, 4, 5]]
    assert listed(groups_of("a-", "a-", "a-", "a+", "a-", "a+")) == [[3, 0, 1], [5, 2, 4]]
    assert listed(groups_of("a+", "a+", "a+", *["a-"] * 5)) == [[0, 3, 4], [1, 5, 6], [2, 7]]


def test_what_belongs_to_no_group_is_left_out_and_counted_in_one_line(capsys):
    groups = groups_of("alone+", "a+", "a-", "none-", "none-", "few+", "few-", "few+")
    assert listed(groups) == [[1, 2], [5, 6]]
    assert capsys.readouterr().err.splitlines() == [
        "train.parquet: 4 of 8 pairs left out: their query has no positive, or fewer negatives than positives"
    ]
    assert groups.record() == {"groups": {"count": 2, "size": 2, "pairs_left_out": 4}}


def test_nothing_is_said_when_every_pair_has_a_group(capsys):
    groups_of("a+", "a-")
    assert capsys.readouterr().err == ""


def test_a_corpus_without_any_group_is_refused_with_advice():
    with pytest.raises(UserError, match=r"train.parquet: objective: no query has both .*: write objective: bce, or"):
        groups_of("a+", "b-", "c-", "d+")


def test_the_size_of_a_group_is_the_rounded_mean():
    whole = [f"{query}{label}" for query in "abcdefg" for label in "+----"]
    assert groups_of(*whole).size == 5
    assert groups_of(*whole[:-1]).size == 5
    assert groups_of("a+", "a-", "b+", "b-", "b-", "b-", "b-").size == 4


def test_groups_are_asked_for_in_any_order_and_repeatedly():
    groups = groups_of("a+", "a-", "b+", "b-", "b-")
    assert groups.rows(np.array([1, 0, 1])).tolist() == [2, 3, 4, 0, 1, 2, 3, 4]
    assert groups.sizes(np.array([1, 0, 1])).tolist() == [3, 2, 3]


def test_a_single_pair_is_a_unit_of_its_own():
    singles = Units(9)
    assert (len(singles), singles.size, singles.record()) == (9, 1, {})
    assert singles.rows(np.array([4, 2])).tolist() == [4, 2]
    assert singles.sizes(np.array([4, 2])).tolist() == [1, 1]


pair_lists = st.lists(st.sampled_from([f"{query}{label}" for query in "abcd" for label in "++---"]), max_size=40)


@given(pair_lists)
def test_groups_hold_as_many_pairs_as_can_be_in_shares_that_differ_by_one(pairs):
    per_query = {query: [pairs.count(f"{query}{label}") for label in "+-"] for query in "abcd"}
    usable = {query: counts for query, counts in per_query.items() if all(counts)}
    if not usable:
        with pytest.raises(UserError):
            groups_of(*pairs)
        return
    groups = groups_of(*pairs)
    found = listed(groups)
    rows = [row for group in found for row in group]
    assert len(set(rows)) == len(rows)
    assert [group[0] for group in found] == sorted(group[0] for group in found)
    for first, *others in found:
        assert pairs[first].endswith("+")
        assert {pairs[row] for row in others} == {f"{pairs[first][0]}-"}
        assert others == sorted(others)
    for query, (positives, negatives) in per_query.items():
        shares = [len(group) - 1 for group in found if pairs[group[0]][0] == query]
        assert len(shares) == min(positives, negatives) if query in usable else not shares
        assert sum(shares) == (negatives if query in usable else 0)
        assert not shares or max(shares) - min(shares) <= 1


group_shapes = st.lists(st.lists(st.integers(4, 60), min_size=1, max_size=6), min_size=1, max_size=12)


@given(group_shapes, st.integers(1, 400))
def test_micro_batches_hold_whole_groups_the_longest_first_within_the_budget(shapes, budget):
    lengths = np.array([length for group in shapes for length in group])
    sizes = np.array([len(group) for group in shapes])
    owner = np.repeat(np.arange(len(shapes)), sizes)
    batches = list(by_length(lengths, budget, sizes))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    longest = [max(lengths[batch]) for batch in batches]
    assert longest == sorted(longest, reverse=True)
    for batch in batches:
        held = np.unique(owner[batch])
        assert len(batch) == sizes[held].sum()
        assert all((np.diff(batch[owner[batch] == group]) == 1).all() for group in held)
        assert len(batch) * max(lengths[batch]) <= budget or len(held) == 1


@given(st.lists(st.integers(4, 60), min_size=1, max_size=40), st.integers(1, 400))
def test_pairs_by_themselves_are_cut_where_the_budget_is_full_equally_long_ones_in_their_order(lengths, budget):
    left, expected = sorted(range(len(lengths)), key=lambda number: -lengths[number]), []
    while left:
        size = max(1, budget // lengths[left[0]])
        expected.append(left[:size])
        left = left[size:]
    assert [batch.tolist() for batch in by_length(np.array(lengths), budget)] == expected


def test_no_pairs_make_no_batches():
    assert list(by_length(np.zeros(0, np.int64), 10)) == []
