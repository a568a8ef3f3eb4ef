"""The GPU benchmarks of training and ranking run, here on the CPU with a tiny model: their checks, no figures."""

from __future__ import annotations

import pytest
from tests.benchmarks import rank
from tests.benchmarks.rankers import Shape

TINY = Shape(1, 32)


def test_ranking():
    row = rank.gpu_row(TINY, queries=2, candidates=5, device="cpu", batch_size=4)
    assert row.ours > 0
    assert "Kendall" in row.checked


def test_training():
    pytest.importorskip("accelerate")
    pytest.importorskip("datasets")
    from tests.benchmarks import train

    row = train.gpu_row(TINY, steps=2, batch_size=4, device="cpu", token_budget=512)
    assert row.ours > 0
    assert "Loss curves" in row.checked
