"""Training the embeddings alone: what is frozen stays as it is, costs nothing, and a run goes on as any other."""

from __future__ import annotations

import pytest
import torch
from train_world import same, strike, weights

from switchrank.models.pretrained import freeze_body, open_both
from switchrank.train.checkpoint import load_checkpoint, optimiser_tensors
from switchrank.train.optimiser import make_optimiser
from switchrank.train.settings import Settings

EMBEDDINGS = "bert.embeddings.word_embeddings.weight"
HEAD = {"bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"}


def test_embeddings_and_head_change_and_all_else_keeps_its_bytes(run, start_folder):
    before, after = weights(start_folder), weights(run(trainable="embeddings"))
    assert {name for name in before if not torch.equal(before[name], after[name])} == {EMBEDDINGS, *HEAD}


def test_a_killed_run_goes_on_to_the_same_bytes_from_what_is_trained_alone(run, tmp_path, monkeypatch):
    straight = run("straight", trainable="embeddings", keep="best", eval_every=2, checkpoint_every=3)

    def die():
        raise MemoryError

    with monkeypatch.context() as patch:
        strike(patch, 5, die)
        with pytest.raises(MemoryError):
            run("killed", trainable="embeddings", keep="best", eval_every=2, checkpoint_every=3)
    (work,) = (tmp_path / "work").iterdir()
    tensors, _ = load_checkpoint(work)
    assert set(tensors["model"]) == set(tensors["best"]) == {EMBEDDINGS, *HEAD}
    assert len(tensors["optimiser"]) == 3 * len(tensors["model"])  # two moments and a step count of each
    same(straight, run("killed", trainable="embeddings", keep="best", eval_every=2, checkpoint_every=3))


@pytest.mark.parametrize("folder", ["bert_folder", "roberta_folder"])
def test_of_frozen_weights_no_gradient_is_computed_and_no_moment_kept(folder, request, monkeypatch):
    from switchrank.models import packed

    monkeypatch.setattr(packed, "_SMALLEST", 1)
    model, _ = open_both(request.getfixturevalue(folder), device=torch.device("cpu"), dropout=0.0)
    ids = torch.arange(5, 9)[None]
    forward, inputs = packed.training_forward(model.train()), {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def gradients():
        model.zero_grad()
        forward(inputs).sum().backward()
        return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}

    whole = gradients()
    freeze_body(model)
    left = gradients()
    encoder = f"{model.base_model_prefix}."
    kept = {name for name in whole if not name.startswith(encoder) or "word_embeddings" in name or "pooler" in name}
    assert set(left) == kept < set(whole)
    assert all(torch.equal(whole[name], gradient) for name, gradient in left.items())
    optimiser = make_optimiser(model, Settings())
    optimiser.step()
    moments = {name.partition(".")[0] for name in optimiser_tensors(optimiser)}
    assert len(moments) == len(kept)
