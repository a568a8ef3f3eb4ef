"""Exact neighbour search against plain NumPy over the whole score matrix."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from switchrank import neighbours
from switchrank.best import Best
from switchrank.neighbours import Side, mutual_best, sides, top_k


def brute(x: NDArray[np.float32], y: NDArray[np.float32], criterion: str, csls_k: int) -> NDArray[np.float64]:
    """All scores, float64 ``(len(x), len(y))``."""
    cosine = x.astype(np.float64) @ y.astype(np.float64).T
    if criterion == "nn":
        return cosine
    nearest_y = np.sort(cosine, axis=1)[:, ::-1][:, :csls_k].mean(axis=1)
    nearest_x = np.sort(cosine, axis=0)[::-1][:csls_k].mean(axis=0)
    return 2 * cosine - nearest_y[:, None] - nearest_x


def unit(seed: int, rows: int, dim: int) -> NDArray[np.float32]:
    matrix = np.random.default_rng(seed).standard_normal((rows, dim))
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)


SIZES = st.integers(1, 60)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=SIZES,
    m=SIZES,
    k=st.integers(1, 12),
    csls_k=st.integers(1, 12),
    criterion=st.sampled_from(["nn", "csls"]),
    block=st.sampled_from([7, 16_384]),
)
def test_best_rows_are_those_of_the_whole_score_matrix(
    seed: int, n: int, m: int, k: int, csls_k: int, criterion: str, block: int
) -> None:
    x, y = unit(seed, n, 8), unit(seed + 1, m, 8)
    expected = brute(x, y, criterion, csls_k)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "BLOCK", block)
        left, right, double = sides(x, y, criterion, csls_k)  # type: ignore[arg-type]
        scores, ids = top_k(left, right, k, double=double)
        mutual = mutual_best(left, right, double)
    k = min(k, m)
    assert scores.shape == ids.shape == (n, k)
    np.testing.assert_allclose(scores, -np.sort(-expected, axis=1)[:, :k], atol=2e-6)
    np.testing.assert_allclose(np.take_along_axis(expected, ids, axis=1), scores, atol=2e-6)
    best = expected.argmax(axis=1)
    np.testing.assert_array_equal(mutual, expected.argmax(axis=0)[best] == np.arange(n))


@pytest.mark.parametrize("criterion", ["nn", "csls"])
def test_faiss_finds_the_same_neighbours(criterion: str) -> None:
    """FAISS (Johnson, Douze and Jegou 2019, arXiv 1702.08734); CSLS as an inner product with one more dimension."""
    x, y = unit(3, 3_000, 30), unit(4, 5_000, 30)
    left, right, double = sides(x, y, criterion, 10)  # type: ignore[arg-type]
    scores, ids = top_k(left, right, 5, double=double, threads=2)
    if criterion == "nn":
        theirs, found = faiss.knn(x, y, 5, metric=faiss.METRIC_INNER_PRODUCT)
    else:
        means = [faiss.knn(*pair, 10, metric=faiss.METRIC_INNER_PRODUCT)[0].mean(axis=1) for pair in ((x, y), (y, x))]
        queries = np.column_stack([2 * x, -np.ones(len(x), np.float32)])
        wider = np.column_stack([y, means[1]])
        theirs, found = faiss.knn(queries, wider, 5, metric=faiss.METRIC_INNER_PRODUCT)
        theirs = theirs - means[0][:, None]
    np.testing.assert_allclose(scores, theirs, atol=2e-6)
    assert (ids == found).mean() > 0.999  # near-equal scores may change places


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n=SIZES, m=SIZES, k=st.integers(1, 9), block=st.sampled_from([5, 16_384]))
def test_ties_go_to_the_lower_row(seed: int, n: int, m: int, k: int, block: int) -> None:
    draw = np.random.default_rng(seed)
    x, y = (draw.integers(-1, 2, (rows, 3)).astype(np.float32) for rows in (n, m))
    expected = np.argsort(-(x @ y.T), axis=1, kind="stable")[:, :k]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "BLOCK", block)
        np.testing.assert_array_equal(top_k(Side(x), Side(y), k)[1], expected)


def test_csls_takes_hubs_down_by_hand() -> None:
    # y0 is nearest to both x0 and x1 (.8, .9); its mean cosine is .9 (csls_k = 1), y1's is .6.
    x = np.array([[0.8, 0.6], [0.9, np.sqrt(0.19)]], dtype=np.float32)
    y = np.array([[1, 0], [0, 1]], dtype=np.float32)
    assert top_k(Side(x), Side(y), 1)[1][:, 0].tolist() == [0, 0]
    left, right, double = sides(x, y, "csls", 1)
    scores, ids = top_k(left, right, 2, double=double)
    assert ids.tolist() == [[0, 1], [0, 1]]
    # x0: 2(.8) - .8 - .9 = -.1 and 2(.6) - .8 - .6 = -.2; x1: 2(.9) - .9 - .9 = 0 and 2(.4359) - .9 - .6 = -.62822
    np.testing.assert_allclose(scores, [[-0.1, -0.2], [0.0, -0.628220]], atol=1e-6)
    left = sides(x, y, "csls", 2)[0]
    assert left.penalty is not None
    np.testing.assert_allclose(left.penalty, [0.7, (0.9 + np.sqrt(0.19)) / 2], atol=1e-6)


@pytest.mark.parametrize("criterion", ["nn", "csls"])
def test_threads_change_no_bit(criterion: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "BLOCK", 64)
    x, y = unit(3, 500, 20), unit(4, 700, 20)
    found = []
    for threads in (1, 2, 5):
        left, right, double = sides(x, y, criterion, 10, threads=threads)  # type: ignore[arg-type]
        scores, ids = top_k(left, right, 3, double=double, threads=threads)
        found.append((scores.tobytes(), ids.tobytes(), mutual_best(left, right, double, threads=threads).tobytes()))
    assert found[0] == found[1] == found[2]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 70), wide=st.booleans(), transposed=st.booleans())
def test_the_best_of_blocks_are_those_of_all_scores(seed: int, k: int, wide: bool, transposed: bool) -> None:
    draw = np.random.default_rng(seed)
    widths = draw.integers(1, 400 if wide else 20, 4)
    scores = (draw.integers(-9, 9, (13, widths.sum())) / (1 if seed % 2 else 1000)).astype(np.float32)
    best, start = Best(13, k), 0
    for width in widths:
        block = np.asarray(scores[:, start : start + width], order="F" if transposed else "C")
        best.offer(np.arange(13), np.arange(start, start + width), block)
        start += width
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    found = min(k, start)
    np.testing.assert_array_equal(best.ids[:, :found], expected)
    np.testing.assert_array_equal(best.scores[:, :found], np.take_along_axis(scores, expected, axis=1))
    assert np.isneginf(best.scores[:, found:]).all()


def test_an_error_in_a_thread_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Best, "offer", fail)
    with pytest.raises(MemoryError):
        top_k(Side(unit(0, 5, 4)), Side(unit(1, 5, 4)), 1, threads=2)


def test_equal_vectors_everywhere_give_the_lower_rows() -> None:
    same = np.tile(unit(0, 1, 16), (300, 1))
    assert (top_k(Side(same), Side(same), 3)[1] == np.arange(3)).all()


def test_a_csls_search_skips_rows_that_cannot_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "BLOCK", 16)
    draw = np.random.default_rng(0)
    y = unit(1, 400, 50)
    x = y[:100] + draw.normal(0, 0.05, (100, 50)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    left, right, double = sides(x, y, "csls", 10)
    seen: list[int] = []
    offer = Best.offer
    monkeypatch.setattr(Best, "offer", lambda self, *block: seen.append(block[2].size) or offer(self, *block))
    assert top_k(left, right, 1, double=double)[1][:, 0].tolist() == list(range(100))
    assert sum(seen) < x.shape[0] * y.shape[0] / 4
