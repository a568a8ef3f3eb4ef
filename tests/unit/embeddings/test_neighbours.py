"""Exact neighbour search against plain NumPy over the whole score matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from switchrank import neighbours
from switchrank.neighbours import Side, faiss_threads, mean_cosine, mutual_best, sides, top_k


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
    np.testing.assert_allclose(mean_cosine(x, y, 2), [0.7, (0.9 + np.sqrt(0.19)) / 2], atol=1e-6)


def test_thread_pinning_ends_with_the_block() -> None:
    import faiss

    before = faiss.omp_get_max_threads()
    with faiss_threads(1):
        assert faiss.omp_get_max_threads() == 1
    assert faiss.omp_get_max_threads() == before
