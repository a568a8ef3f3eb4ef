"""Nearest neighbours by FAISS against plain NumPy over the whole score matrix."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_vectors import SIZES, Floats, clustered, unit

from switchrank.search import nearest as module
from switchrank.search.choices import Choice, SearchKind
from switchrank.search.nearest import nearest


def recall(x: Floats, y: Floats, search: Choice) -> float:
    exact = (x.astype(np.float64) @ y.T.astype(np.float64)).argmax(axis=1)
    return float((nearest(x, y, 1, search=search)[1][:, 0] == exact).mean())


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n=SIZES, m=SIZES, k=st.integers(1, 12), block=st.sampled_from([7, 1024]))
def test_the_best_rows_are_those_of_the_whole_score_matrix(seed: int, n: int, m: int, k: int, block: int) -> None:
    x, y = unit(seed, n, 8), unit(seed + 1, m, 8)
    expected = x.astype(np.float64) @ y.astype(np.float64).T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        scores, ids = nearest(x, y, k)
    k = min(k, m)
    assert scores.shape == ids.shape == (n, k)
    np.testing.assert_array_equal(ids, np.argsort(-expected, axis=1)[:, :k])
    np.testing.assert_allclose(scores, -np.sort(-expected, axis=1)[:, :k], atol=1e-6)


@pytest.mark.parametrize("k", [1, 3])
def test_of_equal_scores_the_lower_row_comes_first(k: int) -> None:
    y = np.repeat(np.eye(2, dtype=np.float32), 3, axis=0)  # rows 0 to 2 equal, 3 to 5 equal
    x = np.array([[1, 0.5], [0.5, 1]], dtype=np.float32)
    assert nearest(x, y, k)[1].tolist() == [list(range(k)), list(range(3, 3 + k))]


def test_all_rows_are_ordered_by_score_and_then_by_number() -> None:
    draw = np.random.default_rng(1)
    x, y = (draw.integers(-1, 2, (rows, 3)).astype(np.float32) for rows in (40, 30))
    np.testing.assert_array_equal(nearest(x, y, 30)[1], np.argsort(-(x @ y.T), axis=1, kind="stable"))


@pytest.mark.parametrize("kind", ["exact", "ivf", "hnsw"])
def test_threads_change_no_bit(kind: SearchKind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 64)
    x, y = clustered(3, 500), clustered(4, 900)
    found = [nearest(x, y, 3, search=Choice(search=kind, probes=2), threads=threads) for threads in (1, 2, 5, 2)]
    assert len({(scores.tobytes(), ids.tobytes()) for scores, ids in found}) == 1


@pytest.mark.parametrize("kind", ["exact", "ivf", "hnsw"])
def test_settings_of_faiss_are_left_as_they_were(kind: SearchKind) -> None:
    before = faiss.omp_get_max_threads(), faiss.cvar.distance_compute_blas_threshold
    nearest(clustered(1, 50), clustered(2, 60), 2, search=Choice(search=kind), threads=2)
    assert (faiss.omp_get_max_threads(), faiss.cvar.distance_compute_blas_threshold) == before


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_an_approximate_search_finds_most_and_true_scores(kind: SearchKind) -> None:
    x, y = clustered(1, 400), clustered(2, 3000)
    assert recall(x, y, Choice(search=kind)) > 0.9
    scores, ids = nearest(x, y, 5, search=Choice(search=kind))
    np.testing.assert_allclose(scores, np.einsum("id,ijd->ij", x, y[ids]), atol=1e-5)
    assert (np.diff(scores, axis=1) <= 0).all()


def test_more_probes_find_more_and_all_cells_everything() -> None:
    x, y = unit(1, 300, 16), unit(2, 2000, 16)
    few, more, every = (recall(x, y, Choice(search="ivf", probes=probes, cells=40)) for probes in (1, 8, 40))
    assert few < more < every == 1


def test_a_wider_search_of_a_graph_finds_more_and_so_do_more_links() -> None:
    x, y = unit(1, 300, 64), unit(2, 4000, 64)
    base = recall(x, y, Choice(search="hnsw", links=4, ef_construction=8, ef_search=4))
    assert base < recall(x, y, Choice(search="hnsw", links=4, ef_construction=8, ef_search=64))
    assert base < recall(x, y, Choice(search="hnsw", links=16, ef_construction=8, ef_search=4))
    assert base < recall(x, y, Choice(search="hnsw", links=4, ef_construction=64, ef_search=4))


def test_what_an_approximate_search_does_not_find_is_marked() -> None:
    y = np.array([[1, 0], [0.9, 0.1], [0, 1]], dtype=np.float32)
    scores, ids = nearest(np.array([[0, 1]], dtype=np.float32), y, 3, search=Choice(search="ivf", probes=1, cells=2))
    assert ids.tolist() == [[2, -1, -1]]
    assert scores.tolist() == [[1, -np.inf, -np.inf]]


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
@pytest.mark.parametrize("rows", [1, 2, 5])
def test_few_rows_and_equal_rows_can_be_searched(kind: SearchKind, rows: int) -> None:
    same = np.tile(unit(0, 1, 4), (rows, 1))
    scores, ids = nearest(same, same, rows, search=Choice(search=kind))
    found = ids >= 0
    assert found[:, 0].all()
    np.testing.assert_allclose(scores[found], 1, atol=1e-6)


def test_an_error_in_a_thread_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(faiss, "knn", fail)
    with pytest.raises(MemoryError):
        nearest(unit(0, 5, 4), unit(1, 5, 4), 1, threads=2)
