"""Exact search of collections against plain NumPy and sentence-transformers, for any shards and threads."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_vectors import SIZES, Floats, clustered, unit

from switchrank.core.errors import UserError
from switchrank.search import exact
from switchrank.search.exact import inner_products, search

CUTS = st.lists(st.integers(0, 60), max_size=4)


def shards(rows: Floats, cuts: list[int]) -> list[Floats]:
    return np.split(rows, sorted(min(cut, len(rows)) for cut in cuts))


def all_products(queries: Floats, rows: Floats) -> Floats:
    """Those of each pair by itself, ``(q, n)``."""
    query, row = (grid.ravel() for grid in np.indices((len(queries), len(rows))))
    return inner_products(queries, query, rows, row).reshape(len(queries), len(rows))


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10_000), n=SIZES, m=SIZES, k=st.integers(1, 12), cuts=CUTS, rows=st.sampled_from([5, 64]))
def test_what_is_found_is_the_head_of_a_sort_of_all_scores_in_any_shards(seed, n, m, k, cuts, rows):
    draw = np.random.default_rng(seed)
    queries, base = (draw.integers(-1, 2, (size, 3)).astype(np.float32) for size in (n, m))
    numbers = draw.permutation(3 * m)[:m]
    whole = queries @ base.T
    order = np.lexsort((np.broadcast_to(numbers, whole.shape), -whole), axis=1)[:, :k]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "_ROWS", rows)
        patch.setattr(exact, "_SPARE", 0)
        found, scores = search(shards(base, cuts), queries, k, numbers=numbers)
    np.testing.assert_array_equal(found, numbers[order])
    np.testing.assert_array_equal(scores, np.take_along_axis(whole, order, axis=1))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 9), cuts=CUTS, threads=st.integers(1, 3))
def test_scores_that_differ_by_rounding_alone_are_put_in_the_order_of_pairs_by_themselves(seed, k, cuts, threads):
    draw = np.random.default_rng(seed)
    base = np.repeat(unit(seed, 6, 33), 10, axis=0) + 1e-8 * draw.standard_normal((60, 33)).astype(np.float32)
    queries = unit(seed + 1, 7, 33)
    whole = all_products(queries, base)
    order = np.argsort(-whole, axis=1, kind="stable")[:, :k]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "_ROWS", 25)
        patch.setattr(exact, "_SPARE", 1)
        found, scores = search(shards(base, cuts), queries, k, threads=threads)
    np.testing.assert_array_equal(found, order)
    assert scores.tobytes() == np.take_along_axis(whole, order, axis=1).tobytes()


def test_neither_shards_nor_threads_nor_other_queries_change_a_bit():
    base, queries = clustered(1, 4000, 48), clustered(2, 150, 48)
    base[2500:3500] = base[:1000]
    whole = search([base], queries, 50)
    for cuts, threads in (([], 3), ([1, 2, 3000], 1), ([*range(0, 4000, 300)], 2)):
        for ours, theirs in zip(search(shards(base, cuts), queries, 50, threads=threads), whole, strict=True):
            assert ours.tobytes() == theirs.tobytes()
    for ours, theirs in zip(search(base, queries[7:8], 50), whole, strict=True):
        np.testing.assert_array_equal(ours, theirs[7:8])


def test_the_best_are_those_of_the_search_of_sentence_transformers():
    from sentence_transformers.util import semantic_search

    base, queries = unit(1, 700, 24), unit(2, 30, 24)
    hits = semantic_search(queries, base, top_k=10, corpus_chunk_size=200)
    numbers, scores = search(shards(base, [300]), queries, 10)
    assert numbers.tolist() == [[hit["corpus_id"] for hit in row] for row in hits]
    np.testing.assert_allclose(scores, [[hit["score"] for hit in row] for row in hits], atol=1e-6)


def test_fewer_documents_than_wanted_are_all_found():
    numbers, scores = search([unit(1, 3, 4)], unit(2, 2, 4), 1000)
    assert numbers.shape == scores.shape == (2, 3)
    assert sorted(numbers[0].tolist()) == [0, 1, 2]


@pytest.mark.parametrize(("documents", "queries"), [(0, 2), (3, 0), (0, 0)])
def test_nothing_is_found_of_nothing(documents, queries):
    numbers, scores = search([unit(1, documents, 4)], unit(2, queries, 4), 5)
    assert numbers.shape == scores.shape == (queries, min(5, documents))


def test_memory_does_not_grow_with_the_documents(monkeypatch):
    monkeypatch.setattr(exact, "_ROWS", 2000)
    queries = unit(1, 20, 32)

    def peak(count: int) -> int:
        tracemalloc.start()
        search((unit(number, 2000, 32) for number in range(count)), queries, 20)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(1)
    assert peak(16) < 1.5 * peak(2)


@pytest.mark.parametrize(
    ("documents", "k", "problem"),
    [
        (np.ones((2, 4), np.float32), 0, "search: k: 0 documents per query: give 1 or more"),
        (np.ones((2, 5), np.float32), 3, "search: documents: 5 dimensions, where queries have 4: encode both with one"),
        (np.array([[1, 2, np.nan, 0]], np.float32), 3, "search: documents: vectors that are not finite: encode them"),
    ],
)
def test_what_cannot_be_searched_is_one_line(documents, k, problem):
    with pytest.raises(UserError, match=problem) as told:
        search([documents], np.ones((1, 4), np.float32), k)
    assert "\n" not in str(told.value)
