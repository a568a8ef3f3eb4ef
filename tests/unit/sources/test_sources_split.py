"""The cuts keep groups whole, are as small as they can be, and depend on names and seed alone."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.collections.frames import connected_groups
from switchrank.core.errors import UserError
from switchrank.sources.build import cut_queries

GROUPED = st.lists(st.integers(0, 9), min_size=2, max_size=60).filter(lambda groups: len(set(groups)) > 1)
LINKS = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), min_size=1, max_size=40)


def frame(groups: list[int]) -> pl.DataFrame:
    return pl.DataFrame({"qid": [f"q{n}" for n in range(len(groups))], "group": [f"g{group}" for group in groups]})


@given(groups=GROUPED, share=st.floats(0.01, 0.6), seed=st.integers(0, 50))
def test_no_group_is_on_both_sides_and_the_share_is_reached_by_no_group_too_many(groups, share, seed) -> None:
    queries = frame(groups)
    try:
        chosen = set(cut_queries(queries, share=share, seed=seed))
    except UserError:
        return
    development = [row["group"] for row in queries.rows(named=True) if row["qid"] in chosen]
    training = [row["group"] for row in queries.rows(named=True) if row["qid"] not in chosen]

    assert training
    assert not set(development) & set(training)
    assert len(development) >= share * len(groups)
    assert any(len(development) - development.count(group) < share * len(groups) for group in set(development))


@given(groups=GROUPED, seed=st.integers(0, 5), data=st.data())
def test_the_order_of_the_queries_does_not_matter(groups, seed, data) -> None:
    queries = frame(groups)
    shuffled = queries[data.draw(st.permutations(range(len(groups))))]

    def cut(table: pl.DataFrame) -> set[str] | str:
        try:
            return set(cut_queries(table, share=0.2, seed=seed))
        except UserError as error:
            return str(error)

    assert cut(queries) == cut(shuffled)


def test_the_cut_keeps_the_order_of_the_queries() -> None:
    queries = frame([1, 2, 1, 3, 2, 3])
    chosen = cut_queries(queries, share=0.3, seed=1).to_list()

    assert chosen == [qid for qid in queries["qid"] if qid in chosen]


def test_seeds_choose_different_groups() -> None:
    queries = frame(list(range(30)))
    cuts = {tuple(cut_queries(queries, share=0.1, seed=seed)) for seed in range(10)}

    assert len(cuts) > 5
    assert all(len(cut) == 3 for cut in cuts)


def test_labelled_examples_are_other_groups_than_those_of_development() -> None:
    queries = frame(list(range(100)))
    dev, labels = (set(cut_queries(queries, share=0.1, seed=1, split=split)) for split in ("dev", "labels"))

    assert len(dev) == len(labels) == 10
    assert len(dev & labels) < 5


def test_one_group_cannot_be_cut() -> None:
    with pytest.raises(UserError, match=r"dev: a share of 0\.1 takes all 1 groups of 3 training queries"):
        cut_queries(frame([1, 1, 1]), share=0.1, seed=1)


def test_queries_that_share_a_label_share_a_group_also_by_way_of_others() -> None:
    links = pl.DataFrame(
        {"qid": ["a", "b", "b", "c", "d", "e"], "label": ["x", "x", "y", "y", "z", "z"]},
    )

    assert connected_groups(links).rows() == [("a", "x"), ("b", "x"), ("c", "x"), ("d", "z"), ("e", "z")]


def test_no_links_make_no_groups() -> None:
    links = pl.DataFrame(schema={"qid": pl.String, "label": pl.String})

    assert connected_groups(links).is_empty()


@given(links=LINKS)
def test_groups_are_the_finest_partition_that_keeps_labels_whole(links) -> None:
    table = pl.DataFrame({"qid": [f"q{a}" for a, _ in links], "label": [f"l{b}" for _, b in links]})
    group = dict(connected_groups(table).rows())

    assert list(group) == list(dict.fromkeys(table["qid"]))
    assert all(group[f"q{a}"] == group[f"q{c}"] for a, b in links for c, d in links if b == d)
    assert group == reachable(links)


def reachable(links: list[tuple[int, int]]) -> dict[str, str]:
    """By repeated relabelling: the group of a query is the first label of its component."""
    first = {label: position for position, label in reversed(list(enumerate(b for _, b in links)))}
    best = {label: label for label in first}
    for _ in links:
        for a, b in links:
            for c, d in links:
                if a == c and first[best[d]] < first[best[b]]:
                    best[b] = best[d]
    return {f"q{a}": f"l{best[b]}" for a, b in links}
