"""Checkpoints: whole or passed over, two kept, all generators put back."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from switchrank.train.checkpoint import (
    load_checkpoint,
    optimiser_tensors,
    random_states,
    restore_optimiser,
    restore_random_states,
    save_checkpoint,
)


def draw():
    return random.random(), np.random.rand(), torch.rand(2).tolist()  # noqa: NPY002


def save(folder, step):
    save_checkpoint(folder, step, {"model": {"w": torch.full((3,), float(step))}}, {"note": step})


def test_random_states_make_the_same_draws_again_even_after_a_cached_normal():
    np.random.randn()  # noqa: NPY002
    random.gauss(0, 1)
    plain, tensors = random_states()
    first = draw()
    draw()
    restore_random_states(plain, tensors)
    assert draw() == first


def test_the_last_two_checkpoints_are_kept_and_the_latest_is_loaded(tmp_path):
    for step in (2, 4, 10):
        save(tmp_path, step)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["step-000000004", "step-000000010"]
    tensors, state = load_checkpoint(tmp_path)
    assert (tensors["model"]["w"].tolist(), state["step"], state["note"]) == ([10.0] * 3, 10, 10)


@pytest.mark.parametrize("damage", ["flipped", "no marker", "file gone", "marker torn"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(tmp_path, capsys, damage):
    save(tmp_path, 4)
    save(tmp_path, 6)
    latest = tmp_path / "step-000000006"
    weights = latest / "model.safetensors"
    if damage == "flipped":
        weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
    elif damage == "no marker":
        (latest / "COMPLETE").unlink()
    elif damage == "file gone":
        weights.unlink()
    else:
        (latest / "COMPLETE").write_text('{"model', encoding="utf-8")
    assert load_checkpoint(tmp_path)[1]["step"] == 4
    assert "step-000000006: checkpoint is damaged" in capsys.readouterr().err


def test_without_a_checkpoint_nothing_is_loaded(tmp_path):
    assert load_checkpoint(tmp_path / "none") is None


def test_optimiser_moments_come_back():
    weight = torch.nn.Parameter(torch.ones(3))
    optimiser = torch.optim.AdamW([weight], fused=True)
    weight.sum().backward()
    optimiser.step()
    saved = {name: value.clone() for name, value in optimiser_tensors(optimiser).items()}
    fresh = torch.optim.AdamW([torch.nn.Parameter(weight.detach().clone())], fused=True)
    restore_optimiser(fresh, saved)
    assert sorted(saved) == ["0.exp_avg", "0.exp_avg_sq", "0.step"]
    assert {name: value.tolist() for name, value in optimiser_tensors(fresh).items()} == {
        name: value.tolist() for name, value in saved.items()
    }
