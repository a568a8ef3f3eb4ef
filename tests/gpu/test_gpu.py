"""What only a GPU can show: attention without padding by its real kernel, and memory that runs out in the middle.

``make test-gpu`` runs it where there is one; ``DEVICE=cpu make test-gpu`` tries the tests themselves elsewhere, but for
the last, which needs a GPU's memory.
"""

from __future__ import annotations

import copy
import json
import os

import numpy as np
import pytest
import torch

from switchrank.models import packed
from switchrank.rank.inference import Inference
from switchrank.rank.score import Reranker
from tests.benchmarks import contrastive, encode, rank, train
from tests.benchmarks.rankers import Shape

DEVICE = os.environ.get("DEVICE", "cuda")
SMALL = Shape(3, 128)


@pytest.fixture(scope="module")
def ranker(tmp_path_factory):
    return rank.make_work(tmp_path_factory.mktemp("ranker"), SMALL, queries=4, candidates=50)


def opened(work):
    from switchrank.models.pretrained import open_both

    return open_both(work.folder, new_head=False, device=torch.device("cpu"))[0]


def padded(lengths):
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    generator = torch.Generator().manual_seed(3)
    return {"input_ids": torch.randint(5, 900, mask.shape, generator=generator) * mask, "attention_mask": mask}


@pytest.mark.parametrize("lengths", [[9, 4, 9, 30, 1], [512, 1, 2], [17] * 40, [1]])
def test_logits_and_gradients_without_padding_are_those_with_it(ranker, lengths):
    model = opened(ranker).to(DEVICE).train()
    stock, inputs = copy.deepcopy(model).float(), padded(lengths)
    with torch.autocast(DEVICE, torch.bfloat16):
        assert packed._attends(model)
        found = packed.training_forward(model)(inputs).float()
    found.square().sum().backward()
    wide = packed.training_forward(stock.to("cpu"))(inputs)
    wide.square().sum().backward()
    torch.testing.assert_close(found.cpu(), wide, atol=0.1 * max(1.0, wide.abs().max().item()), rtol=0)
    gradients = dict(model.named_parameters())
    whole = torch.stack([parameter.grad.norm() for parameter in stock.parameters()]).norm()
    for name, parameter in stock.named_parameters():
        apart = (gradients[name].grad.cpu() - parameter.grad).norm()
        assert apart <= 0.05 * (parameter.grad.norm() + whole), name


def test_half_precision_ranks_as_a_cpu_does_in_single(ranker):
    def scores(device, precision):
        reranker = Reranker(ranker.folder, Inference(device, 1, precision))
        texts = [text for some in ranker.passages for text in some]
        query = np.repeat(np.arange(4), 50)
        sides = reranker.tokenise(ranker.queries, "queries"), reranker.tokenise(texts, "passages")
        return reranker.score(*sides, query, np.arange(200))

    assert rank.correlation(scores("cpu", "fp32"), scores(DEVICE, "bf16"), 4) > 0.9


def test_half_precision_encodes_as_a_cpu_does_in_single(tmp_path):
    work = encode.make_work(tmp_path, SMALL, count=50)
    single, half = encode.ours(work, "fp32"), encode.ours(work, "bf16", DEVICE)
    assert encode.from_direction(half(work.passages), single(work.passages)) < 1e-3


def test_contrastive_training_on_it_is_that_on_a_cpu_up_to_rounding(tmp_path):
    work = contrastive.make_work(tmp_path, SMALL, steps=3, batch_size=32, token_budget=1_024)
    cpu, device = (contrastive.ours(train.replace(work, device=device), "bf16") for device in ("cpu", DEVICE))
    assert train.distance(cpu, device) < train.CURVES["bf16"]


def test_training_on_it_is_training_on_a_cpu_up_to_rounding(tmp_path):
    work = train.make_work(tmp_path / "work", SMALL, steps=4, batch_size=32)
    losses = []
    for device in ("cpu", DEVICE):
        train.trained(train.replace(work, device=device), "bf16", tmp_path / device)
        losses.append([loss for _, loss in json.loads((tmp_path / device / "train.json").read_text())["loss"]])
    np.testing.assert_allclose(losses[1], losses[0], atol=train.CURVES["bf16"])


@pytest.mark.skipif(DEVICE == "cpu", reason="a CPU has no limit that a test may set")
def test_memory_that_runs_out_in_the_middle_is_told_and_training_goes_on(tmp_path, capfd):
    work = train.make_work(
        tmp_path / "work", Shape(6, 384), steps=3, batch_size=512, token_budget=65_536, device=DEVICE
    )
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(2e9 / total)
    try:
        train.trained(work, "bf16", tmp_path / "model")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "out of memory: token budget halved to" in capfd.readouterr().err
