"""The first look in bfloat16: the same words as without it, whatever the vectors.

Where a CPU's sums in float32 depend on the shape of a product, words that are equal but for rounding may change places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from switchrank import firstlook, neighbours
from switchrank.firstlook import first_look
from switchrank.neighbours import Criterion, Side, mutual_best, sides, top_k

Floats = NDArray[np.float32]
ANY_LENGTH, TO_ONE_SIDE = "of any length", "rounded to one side"
KINDS = ["random", "clustered", "repeated", "near ties", "opposite", "few dimensions", ANY_LENGTH, TO_ONE_SIDE]


@pytest.fixture(autouse=True)
def bfloat16_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A CPU without it computes the same, more slowly."""
    monkeypatch.setattr(neighbours, "WORTH", 1)
    monkeypatch.setattr(neighbours, "_computes_in_bfloat16", lambda: True)
    threads = torch.get_num_threads()
    yield
    assert torch.get_num_threads() == threads


def both_sides(kind: str, seed: int, n: int, m: int) -> tuple[Floats, Floats]:
    draw = np.random.default_rng(seed)
    dimensions = 4 if kind == "few dimensions" else 33
    x, y = (draw.standard_normal((rows, dimensions)) for rows in (n, m))
    if kind == "clustered":
        centres = draw.standard_normal((20, dimensions))
        x, y = (centres[draw.integers(0, 20, len(of))] + 0.2 * of for of in (x, y))
    if kind == "repeated":
        x, y = x[draw.integers(0, min(9, n), n)], y[draw.integers(0, min(300, m), m)]
    if kind == "near ties":  # most of what a query meets is equal to it but for float32's last places
        x = y[draw.integers(0, min(300, m), n)]
        y = y[draw.integers(0, min(300, m), m)] * (1 + 3e-7 * y)
    if kind == "opposite":  # all scores are negative
        x, y = 5 + abs(x), -5 - abs(y)
    if kind == TO_ONE_SIDE:
        x, y = one_sided(draw, x, y)
    for matrix in (x, y) if kind != TO_ONE_SIDE else ():
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    if kind == ANY_LENGTH:
        x, y = (of * 10.0 ** draw.uniform(-6, 6, (len(of), 1)) for of in (x, y))
    return x.astype(np.float32), y.astype(np.float32)


def one_sided(draw: np.random.Generator, x: Any, y: Any) -> tuple[Any, Any]:
    """The best rows of ``y`` round down in all places but one, some that are nearly as good round up."""
    middle = 1 + 2.0**-8  # of two bfloat16 numbers
    x = np.repeat(draw.integers(128, 256, (len(x), 1)) / 256, x.shape[1], axis=1)
    good = draw.permutation(len(y))[:12]
    y = 0.5 * y / abs(y).max()
    y[good[:6]], y[good[6:]] = middle - 1e-6, middle + 1e-6
    y[good[:6], draw.integers(0, y.shape[1], len(good[:6]))] += 2.0**-8
    return x / 8, y / 8


def left_of(x: Floats, y: Floats, numbers: list[NDArray[np.int64]]) -> firstlook.Left:
    with first_look(y[ids] for ids in numbers) as look:
        return look.left(x, numbers, lambda ids: y[ids], np.full(len(x), -np.inf, dtype=np.float32))


class Found(NamedTuple):
    """The best row of ``y`` for each of ``x``, its score, and which are each other's best."""

    scores: Floats
    ids: NDArray[np.int64]
    mutual: NDArray[np.bool_]


def found(x: Floats, y: Floats, criterion: Criterion, threads: int = 2) -> Found:
    left, right, double = sides(x, y, criterion, 10, threads=threads)
    scores, ids = top_k(left, right, 1, double=double, threads=threads)
    return Found(scores[:, 0], ids[:, 0], mutual_best(left, right, double, threads=threads))


def plain(x: Floats, y: Floats, criterion: Criterion) -> Found:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "_computes_in_bfloat16", lambda: False)
        return found(x, y, criterion)


def exact_scores(x: Floats, y: Floats, criterion: Criterion) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All scores in float64, and how far those of float32 may be from them."""
    cosines = x.astype(np.float64) @ y.T.astype(np.float64)
    lengths = np.linalg.norm(x.astype(np.float64), axis=1)[:, None] * np.linalg.norm(y.astype(np.float64), axis=1)
    if criterion == "nn":
        return cosines, 1e-5 * lengths
    nearest = [np.sort(of, axis=1)[:, -10:].mean(axis=1) for of in (cosines, cosines.T)]
    return 2 * cosines - nearest[0][:, None] - nearest[1], 1e-5 * (4 * lengths + lengths.max(axis=0))


def clear(scores: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.bool_]:
    """For which rows the best is further ahead than rounding can change."""
    best = scores.argmax(axis=1)[:, None]
    ahead = np.take_along_axis(scores, best, 1) - scores > error + np.take_along_axis(error, best, 1)
    return ahead.sum(axis=1) == scores.shape[1] - 1


def assert_same(ours: Found, theirs: Found, x: Floats, y: Floats, criterion: Criterion) -> None:
    scores, error = exact_scores(x, y, criterion)
    each = np.arange(len(x))
    for one in (ours, theirs):
        assert (scores.max(axis=1) - scores[each, one.ids] <= 2 * error.max(axis=1)).all()
        assert (abs(one.scores - scores[each, one.ids]) <= error.max(axis=1)).all()
    sure = clear(scores, error)
    assert (ours.ids[sure] == theirs.ids[sure]).all()
    sure &= clear(scores.T, error.T)[theirs.ids]
    assert (ours.mutual[sure] == theirs.mutual[sure]).all()


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 10_000),
    n=st.integers(1, 900),
    m=st.integers(1, 3000),
    criterion=st.sampled_from(["nn", "csls"]),
    block=st.sampled_from([600, 2048]),
)
def test_the_best_words_are_those_found_without_it(
    kind: str, seed: int, n: int, m: int, criterion: Criterion, block: int
) -> None:
    x, y = both_sides(kind, seed, n, m)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "BLOCK", block)
        patch.setattr(firstlook, "WIDTH", block // 2)
        assert_same(found(x, y, criterion), plain(x, y, criterion), x, y, criterion)


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_rules_out_is_not_the_best(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firstlook, "PART", 1)  # else what one query rules out another may keep for it
    x, y = both_sides(kind, 1, 500, 2000)
    scores = x.astype(np.float64) @ y.T.astype(np.float64)
    numbers = [np.arange(1200), np.arange(1200, 2000)]
    left = left_of(x, y, numbers)
    seen = np.zeros(scores.shape, dtype=bool)
    for part, ids in left:
        assert (np.diff(ids) > 0).all()
        assert not seen[part][:, ids].any()
        seen[part, ids] = True
    assert seen[scores >= scores.max(axis=1, keepdims=True)].all()


@pytest.mark.parametrize("criterion", ["nn", "csls"])
def test_most_products_are_not_computed_again(criterion: Criterion, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = both_sides("random", 2, 1000, 20_000)
    left, right, double = sides(x, y, criterion, 10)
    products = neighbours._Products.__call__
    sizes: list[int] = []
    monkeypatch.setattr(
        neighbours._Products, "__call__", lambda *of: sizes.append(len(of[1]) * len(of[2])) or products(*of)
    )
    top_k(left, right, 1, double=double)
    looked = sum(sizes)
    sizes.clear()
    monkeypatch.setattr(neighbours, "_computes_in_bfloat16", lambda: False)
    top_k(left, right, 1, double=double)
    assert 0 < looked < sum(sizes) / 2


def test_threads_change_no_byte() -> None:
    x, y = both_sides("clustered", 3, 900, 4000)
    for one, other in zip(found(x, y, "nn", threads=1), found(x, y, "nn", threads=3), strict=True):
        assert one.tobytes() == other.tobytes()


def test_vectors_that_are_all_equal_are_compared_as_without_it() -> None:
    same = np.tile(both_sides("random", 0, 1, 1)[0], (3000, 1))
    left = left_of(same[:400], same, [np.arange(3000)])
    assert [(part.stop, len(ids)) for part, ids in left] == [(400, 3000)]


def test_numbers_too_large_for_a_bound_are_compared_as_without_it() -> None:
    x, y = both_sides("random", 0, 300, 2000)
    for factor in (1e30, np.nan):
        left = left_of(x * np.float32(1e8), y * np.float32(factor), [np.arange(2000)])
        assert [len(ids) for _, ids in left] == [2000]


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_do_not_decide_whether_there_is_one(
    threads: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = both_sides("clustered", 4, 600, 2500)
    monkeypatch.setattr(neighbours, "WORTH", x.size * len(y))
    top_k(Side(x), Side(y), 1, threads=threads)
    assert "first look in bf16" in capsys.readouterr().err


def test_the_log_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = both_sides("clustered", 4, 600, 2500)
    top_k(Side(x), Side(y), 1)
    assert "first look in bf16" in capsys.readouterr().err
    monkeypatch.setattr(neighbours, "_computes_in_bfloat16", lambda: False)
    top_k(Side(x), Side(y), 1)
    assert "first look" not in capsys.readouterr().err


@pytest.mark.parametrize(("says", "found"), [("flags : fpu avx2", False), ("flags : fpu avx512_bf16 amx_tile", True)])
def test_linux_says_what_the_cpu_computes_in(says: str, found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("pathlib.Path.read_text", lambda *_, **__: says)
    assert neighbours._computes_in_bfloat16() is found


def test_other_systems_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr("pathlib.Path.read_text", missing)
    assert not neighbours._computes_in_bfloat16()
