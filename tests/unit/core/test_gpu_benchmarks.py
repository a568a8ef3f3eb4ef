"""The GPU benchmarks of models run, here on the CPU with a tiny one: their checks, no figures."""

from __future__ import annotations

import pytest
from tests.benchmarks import encode, rank
from tests.benchmarks.rankers import Shape

TINY = Shape(1, 32)


def test_ranking():
    row = rank.gpu_row(TINY, queries=2, candidates=5, device="cpu", batch_size=4)
    assert row.ours > 0
    assert "Kendall" in row.checked


def test_encoding():
    row = encode.gpu_row(TINY, count=20, device="cpu", batch_size=4)
    assert row.ours > 0
    assert "cosine" in row.checked


def test_training():
    pytest.importorskip("accelerate")
    pytest.importorskip("datasets")
    from tests.benchmarks import train

    row = train.gpu_row(TINY, steps=2, batch_size=4, device="cpu", token_budget=512)
    assert row.ours > 0
    assert "Loss curves" in row.checked


def test_contrastive_training():
    pytest.importorskip("accelerate")
    pytest.importorskip("datasets")
    from tests.benchmarks import contrastive

    row = contrastive.gpu_row(TINY, steps=2, batch_size=4, mini_batch=2, device="cpu", token_budget=256)
    assert row.ours > 0
    assert "Losses of the first step" in row.checked
