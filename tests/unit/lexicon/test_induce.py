"""Inducing lexicons from aligned vectors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.formats.tables import LEXICON, read_table
from switchrank.formats.vectors import write_vectors
from switchrank.lexicon.induce import induce_lexicon
from switchrank.search.choices import Choice

Rows = list[tuple[str, str, float, int]]


def unit(rows: object) -> NDArray[np.float32]:
    matrix = np.asarray(rows, dtype=np.float64)
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)


def induced(tmp_path: Path, **options: object) -> Rows:
    out = tmp_path / "lexicon.parquet"
    threads = int(options.pop("threads", 1))  # type: ignore[call-overload]
    choice = Choice(**options)  # type: ignore[arg-type]
    induce_lexicon(source=tmp_path / "en", target=tmp_path / "fo", out=out, choice=choice, threads=threads)
    return [(s, t, round(score, 4), rank) for s, t, score, rank in read_table(out, LEXICON).iter_rows()]


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """Two English words whose nearest foreign word by cosine is the same hub."""
    write_vectors(tmp_path / "en", ["cat", "dog"], np.array([[0.8, 0.6], [0.9, np.sqrt(0.19)]], dtype=np.float32))
    write_vectors(tmp_path / "fo", ["Hub", "Katze"], np.eye(2, dtype=np.float32))
    return tmp_path


def test_nearest_neighbours_and_scores_by_hand(hub: Path) -> None:
    assert induced(hub, criterion="nn", k=2) == [
        ("cat", "Hub", 0.8, 1),
        ("cat", "Katze", 0.6, 2),
        ("dog", "Hub", 0.9, 1),
        ("dog", "Katze", 0.4359, 2),
    ]


def test_csls_scores_by_hand(hub: Path) -> None:
    # csls_k = 1: r(cat) = .8, r(dog) = .9, r(Hub) = .9, r(Katze) = .6
    assert induced(hub, csls_k=1, k=1) == [("cat", "Hub", -0.1, 1), ("dog", "Hub", 0.0, 1)]


def test_mutual_keeps_pairs_that_are_each_others_best(hub: Path) -> None:
    assert induced(hub, criterion="nn", mutual=True, k=2) == [("dog", "Hub", 0.9, 1)]


def test_a_threshold_drops_weaker_translations(hub: Path) -> None:
    assert induced(hub, criterion="nn", k=2, threshold=0.5) == [
        ("cat", "Hub", 0.8, 1),
        ("cat", "Katze", 0.6, 2),
        ("dog", "Hub", 0.9, 1),
    ]


def test_vocabulary_cuts_keep_the_most_frequent_words(hub: Path) -> None:
    assert induced(hub, criterion="nn", max_source=1, max_target=1) == [("cat", "Hub", 0.8, 1)]


def test_of_source_words_with_one_key_the_most_frequent_counts(tmp_path: Path) -> None:
    write_vectors(tmp_path / "en", ["Stra\u00dfe", "STRASSE", "x"], np.eye(3, dtype=np.float32))
    write_vectors(tmp_path / "fo", ["a", "b", "c"], np.eye(3, dtype=np.float32))
    assert induced(tmp_path, criterion="nn") == [("strasse", "a", 1.0, 1), ("x", "c", 1.0, 1)]


def test_raw_dot_ranks_by_the_vectors_as_they_were(hub: Path) -> None:
    write_vectors(hub / "fo", ["Hub", "Katze"], np.eye(2, dtype=np.float32), np.array([1, 5], dtype=np.float32))
    write_vectors(hub / "en", ["cat"], np.array([[0.8, 0.6]], dtype=np.float32), np.array([2], dtype=np.float32))
    assert induced(hub, criterion="nn") == [("cat", "Hub", 0.8, 1)]
    assert induced(hub, criterion="nn", raw_dot=True) == [("cat", "Katze", 6.0, 1)]


def test_raw_dot_with_csls_is_refused(hub: Path) -> None:
    with pytest.raises(UserError, match="raw_dot: has no meaning with criterion 'csls'"):
        induced(hub, raw_dot=True)


@pytest.mark.parametrize("search", ["ivf", "hnsw"])
def test_raw_dot_with_an_approximate_search_is_refused(hub: Path, search: str) -> None:
    with pytest.raises(UserError, match=f"raw_dot: has no meaning with search '{search}'"):
        induced(hub, criterion="nn", raw_dot=True, search=search)


def test_a_lexicon_without_pairs_is_refused_and_not_written(hub: Path) -> None:
    with pytest.raises(UserError, match="no pair passes"):
        induced(hub, threshold=9.0)
    assert not (hub / "lexicon.parquet").exists()


def test_stores_of_different_dimensions_are_refused(hub: Path) -> None:
    write_vectors(hub / "fo", ["a"], np.ones((1, 3), dtype=np.float32))
    with pytest.raises(UserError, match=r"fo: 3 dimensions, .*en has 2"):
        induced(hub)


@pytest.mark.parametrize("empty", ["en", "fo"])
@pytest.mark.parametrize("search", ["exact", "ivf", "hnsw"])
def test_a_store_without_words_is_refused(hub: Path, empty: str, search: str) -> None:
    write_vectors(hub / empty, [], np.empty((0, 2), dtype=np.float32))
    with pytest.raises(UserError, match=f"{empty}: no words: make the vectors again"):
        induced(hub, search=search)


def test_equal_stores_give_equal_bytes(hub: Path) -> None:
    induced(hub)
    first = (hub / "lexicon.parquet").read_bytes()
    induced(hub)
    assert (hub / "lexicon.parquet").read_bytes() == first


def clusters(tmp_path: Path, sources: int = 300, targets: int = 900) -> None:
    """Words around thirty centres."""
    draw = np.random.default_rng(5)
    centres = draw.standard_normal((30, 16))
    for name, count in (("en", sources), ("fo", targets)):
        rows = centres[draw.integers(0, 30, count)] + 0.3 * draw.standard_normal((count, 16))
        write_vectors(tmp_path / name, [f"{name}{i}" for i in range(count)], unit(rows))


KINDS = {
    "ivf": {"kind": "ivf", "probes": 16, "cells": None},
    "hnsw": {"kind": "hnsw", "links": 32, "ef_construction": 40, "ef_search": 128},
}


@pytest.mark.parametrize("search", KINDS)
@pytest.mark.parametrize("options", [{"criterion": "nn"}, {"criterion": "csls"}, {"criterion": "csls", "mutual": True}])
def test_an_approximate_search_finds_most_and_stores_its_recall(
    tmp_path: Path, search: str, options: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    clusters(tmp_path)
    exact = {source: target for source, target, *_ in induced(tmp_path, **options)}
    assert "search" not in pl.read_parquet_metadata(tmp_path / "lexicon.parquet")
    found = {source: target for source, target, *_ in induced(tmp_path, search=search, probes=16, **options)}
    stored = json.loads(pl.read_parquet_metadata(tmp_path / "lexicon.parquet")["search"])
    assert f"recall@1 {stored['recall_at_1']} of the exact search, on 300 words" in capsys.readouterr().err
    assert sum(found.get(word) == target for word, target in exact.items()) > 0.9 * len(exact)
    assert stored == {**KINDS[search], "recall_at_1": stored["recall_at_1"], "sample": 300}
    if not options.get("mutual"):
        assert len(found) == 300
    if options == {"criterion": "nn"}:
        assert stored["recall_at_1"] == pytest.approx(sum(found[word] == exact[word] for word in exact) / 300, abs=1e-4)


def test_an_approximate_search_of_all_cells_is_exact(tmp_path: Path) -> None:
    clusters(tmp_path, 60, 100)
    exact, found = induced(tmp_path, k=3), induced(tmp_path, k=3, search="ivf", cells=7, probes=7)
    assert [(*pair, rank) for *pair, _, rank in found] == [(*pair, rank) for *pair, _, rank in exact]
    np.testing.assert_allclose(*([score for *_, score, _ in rows] for rows in (found, exact)), atol=2e-4)


@pytest.mark.parametrize("search", ["exact", "ivf", "hnsw"])
def test_a_search_gives_equal_bytes_again_on_any_number_of_cores(tmp_path: Path, search: str) -> None:
    clusters(tmp_path)
    written = []
    for threads in (1, 2, 2, 5):
        induced(tmp_path, search=search, k=2, threads=threads)
        written.append((tmp_path / "lexicon.parquet").read_bytes())
    assert len(set(written)) == 1


@pytest.mark.parametrize("search", ["exact", "ivf", "hnsw"])
def test_one_word_can_be_searched(tmp_path: Path, search: str) -> None:
    for name in ("en", "fo"):
        write_vectors(tmp_path / name, [name], np.ones((1, 1), dtype=np.float32))
    assert induced(tmp_path, search=search) == [("en", "fo", 0.0, 1)]


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 999),
    n=st.integers(1, 40),
    m=st.integers(1, 40),
    k=st.integers(1, 8),
    criterion=st.sampled_from(["nn", "csls"]),
    mutual=st.booleans(),
)
def test_the_lexicon_is_that_of_the_whole_score_matrix(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n: int, m: int, k: int, criterion: str, mutual: bool
) -> None:
    tmp_path = tmp_path_factory.mktemp("induce")
    draw = np.random.default_rng(seed)
    x, y = unit(draw.standard_normal((n, 6))), unit(draw.standard_normal((m, 6)))
    write_vectors(tmp_path / "en", [f"e{i}" for i in range(n)], x)
    write_vectors(tmp_path / "fo", [f"f{i}" for i in range(m)], y)
    scores = x.astype(np.float64) @ y.astype(np.float64).T
    if criterion == "csls":
        means = [np.sort(scores, axis=axis).take(range(-min(3, scores.shape[axis]), 0), axis=axis) for axis in (1, 0)]
        scores = 2 * scores - means[0].mean(axis=1)[:, None] - means[1].mean(axis=0)
    expected = []
    for i in range(n):
        for rank, j in enumerate(np.argsort(-scores[i], kind="stable")[: 1 if mutual else k], start=1):
            if not mutual or scores[:, j].argmax() == i:
                expected.append((f"e{i}", f"f{j}", rank))
    rows = induced(tmp_path, criterion=criterion, k=k, csls_k=3, mutual=mutual)
    assert [(source, target, rank) for source, target, _, rank in rows] == expected
    np.testing.assert_allclose(
        [score for *_, score, _ in rows], [scores[int(s[1:]), int(t[1:])] for s, t, _ in expected], atol=2e-4
    )
