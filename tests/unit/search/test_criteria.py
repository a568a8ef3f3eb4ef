"""Criteria and mutual best pairs against plain NumPy over the whole score matrix, and how an answer is judged."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from search_vectors import SIZES, Floats, clustered, unit

from switchrank.lexicon.induce import recall_at_1
from switchrank.search.choices import SEARCHED, Choice, Criterion, SearchKind
from switchrank.search.nearest import RULES, Matcher, Rule


def brute(x: Floats, y: Floats, criterion: str, neighbours: int) -> NDArray[np.float64]:
    """All scores, float64 ``(len(x), len(y))``."""
    cosine = x.astype(np.float64) @ y.astype(np.float64).T
    if criterion == "nn":
        return cosine
    nearest_y = np.sort(cosine, axis=1)[:, ::-1][:, :neighbours].mean(axis=1)
    nearest_x = np.sort(cosine, axis=0)[::-1][:neighbours].mean(axis=0)
    return 2 * cosine - nearest_y[:, None] - nearest_x


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=SIZES,
    m=SIZES,
    k=st.integers(1, 12),
    neighbours=st.integers(1, 12),
    criterion=st.sampled_from(get_args(Criterion)),
)
def test_both_directions_and_mutual_pairs_are_those_of_the_whole_score_matrix(
    seed: int, n: int, m: int, k: int, neighbours: int, criterion: Criterion
) -> None:
    x, y = unit(seed, n, 8), unit(seed + 1, m, 8)
    expected = brute(x, y, criterion, neighbours)
    matcher = Matcher(x, y, criterion, neighbours=neighbours)
    for (scores, ids), whole in ((matcher.best_targets(k), expected), (matcher.best_sources(k), expected.T)):
        np.testing.assert_allclose(scores, -np.sort(-whole, axis=1)[:, :k], atol=2e-6)
        np.testing.assert_allclose(np.take_along_axis(whole, ids, axis=1), scores, atol=2e-6)
    best = expected.argmax(axis=1)
    np.testing.assert_array_equal(matcher.mutual(best), expected.argmax(axis=0)[best] == np.arange(n))


def test_csls_takes_hubs_down_by_hand() -> None:
    # y0 is nearest to both x0 and x1 (.8, .9); its mean cosine is .9 (one neighbour), y1's is .6.
    x = np.array([[0.8, 0.6], [0.9, np.sqrt(0.19)]], dtype=np.float32)
    y = np.array([[1, 0], [0, 1]], dtype=np.float32)
    assert Matcher(x, y, "nn").best_targets()[1].tolist() == [[0], [0]]
    scores, ids = Matcher(x, y, "csls", neighbours=1).best_targets(2)
    assert ids.tolist() == [[0, 1], [0, 1]]
    # x0: 2(.8) - .8 - .9 = -.1 and 2(.6) - .8 - .6 = -.2; x1: 2(.9) - .9 - .9 = 0 and 2(.4359) - .9 - .6 = -.62822
    np.testing.assert_allclose(scores, [[-0.1, -0.2], [0.0, -0.628220]], atol=1e-6)


def test_a_row_for_which_nothing_was_found_is_nobodys_best() -> None:
    matcher = Matcher(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), "nn")
    assert matcher.mutual(np.array([0, -1])).tolist() == [True, False]


@pytest.mark.parametrize("criterion", get_args(Criterion))
def test_threads_change_no_bit(criterion: Criterion) -> None:
    x, y = clustered(3, 2500), clustered(4, 2100)
    found = set()
    for threads in (1, 2, 5):
        matcher = Matcher(x, y, criterion, threads=threads)
        scores, ids = matcher.best_targets(3)
        found.add((scores.tobytes(), ids.tobytes(), matcher.mutual(ids[:, 0]).tobytes()))
    assert len(found) == 1


def test_each_criterion_has_a_rule_and_a_cost() -> None:
    assert set(RULES) == set(SEARCHED) == set(get_args(Criterion))


def away_from_the_first_axis(rows: Floats, *_: object, **__: object) -> Floats:
    """A penalty that has nothing to do with cosines: it takes most of what would be found by them away."""
    return np.asarray(3 * np.abs(rows[:, 0]), dtype=np.float32)


@pytest.fixture
def third(monkeypatch: pytest.MonkeyPatch) -> None:
    """A criterion that nobody but the table of rules has heard of."""
    monkeypatch.setitem(RULES, "third", Rule(scale=1.0, penalty=away_from_the_first_axis))  # type: ignore[misc]


@pytest.mark.usefixtures("third")
@pytest.mark.parametrize("criterion", [*get_args(Criterion), "third"])
def test_an_exact_search_has_full_recall_under_any_criterion(criterion: Criterion) -> None:
    x, y = unit(1, 300, 16), unit(2, 700, 16)
    matcher = Matcher(x, y, criterion)
    assert recall_at_1(matcher, matcher.best_targets()[1][:, 0]) == {"recall_at_1": 1.0, "sample": 300}
    by_cosine = Matcher(x, y, "nn").best_targets()[1][:, 0]
    assert criterion == "nn" or recall_at_1(matcher, by_cosine)["recall_at_1"] < 0.95


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
@pytest.mark.usefixtures("third")
@pytest.mark.parametrize("criterion", [*get_args(Criterion), "third"])
def test_measured_recall_is_the_share_that_plain_numpy_finds(kind: SearchKind, criterion: Criterion) -> None:
    x, y = unit(1, 400, 24), unit(2, 1500, 24)
    poor = Choice(search=kind, probes=2, links=4, ef_construction=8, ef_search=4)
    matcher = Matcher(x, y, criterion, search=poor)
    found = matcher.best_targets()[1][:, 0]
    scores = brute(x, y, criterion, 10)
    if criterion == "third":
        scores = x.astype(np.float64) @ y.T - 3 * np.abs(y[:, 0])
    share = (scores.argmax(axis=1) == found).mean()
    assert 0.1 < share < 0.95
    assert recall_at_1(matcher, found)["recall_at_1"] == pytest.approx(share, abs=0.01)


def test_an_equally_good_answer_counts_and_a_missing_one_does_not() -> None:
    y = np.repeat(np.eye(3, dtype=np.float32), 2, axis=0)
    matcher = Matcher(np.eye(3, dtype=np.float32), y, "nn")
    assert matcher.exact_best(np.arange(3), np.array([1, 2, -1]), pool=1).tolist() == [True, True, False]
    assert matcher.exact_best(np.array([2]), np.array([0]), pool=1).tolist() == [False]
