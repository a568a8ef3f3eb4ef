"""The forward pass without padding gives what the stock one gives, for every pair, and the same gradients."""

from __future__ import annotations

import copy
import dataclasses
from functools import partial

import numpy as np
import pytest
import torch
from families import FAMILIES
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    AutoModelForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
)

from switchrank.models import packed
from switchrank.models.dropout import Draw
from switchrank.models.packing import Block, into_blocks, out_of_blocks

KINDS = FAMILIES | {"electra": (ElectraConfig, ElectraForSequenceClassification)}
WHERE = {"first_position": 0, "pad": None, "device": torch.device("cpu")}
OPTIONS = {
    "vocab_size": 40,
    "hidden_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 256,
    "max_position_embeddings": 40,
    "num_labels": 1,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "initializer_range": 0.1,
    "pad_token_id": 1,
}


def model_of(family: str, **changes):
    """A random ranker, wide enough for oneDNN's products unless ``changes`` say otherwise."""
    torch.manual_seed(3)
    config, kind = KINDS[family]
    return kind(config(**{**OPTIONS, **changes})).eval()


def padded(lengths, family="bert", seed=0):
    """Random inputs of pairs of these lengths."""
    generator = torch.Generator().manual_seed(seed)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    ids = torch.randint(2, 40, mask.shape, generator=generator) * mask + (1 - mask)
    inputs = {"input_ids": ids, "attention_mask": mask}
    if family == "bert":
        inputs["token_type_ids"] = torch.randint(0, 2, mask.shape, generator=generator) * mask
    return inputs


@pytest.fixture(scope="module", params=[(name, width) for name in KINDS for width in (256, 32)], ids=str)
def case(request):
    family, width = request.param
    return family, model_of(family, hidden_size=width, intermediate_size=2 * width)


@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(1, 36), min_size=1, max_size=9), seed=st.integers(0, 99))
def test_logits_are_those_of_the_stock_model_in_any_mix_of_lengths(case, lengths, seed):
    family, model = case
    inputs = padded(lengths, family, seed)
    with torch.inference_mode():
        expected = packed.stock_forward(model)(inputs)
        torch.testing.assert_close(packed.ranking_forward(model, None)(inputs), expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(packed.training_forward(model)(inputs), expected, atol=1e-5, rtol=0)


@settings(max_examples=8, deadline=None)
@given(lengths=st.lists(st.integers(1, 36), min_size=1, max_size=9), seed=st.integers(0, 99))
def test_vectors_of_all_tokens_are_those_of_the_stock_model_and_zero_at_padding(case, lengths, seed):
    family, model = case
    inputs = padded(lengths, family, seed)
    with torch.inference_mode():
        expected = getattr(model, model.base_model_prefix)(**inputs).last_hidden_state
        found = packed.encoding_forward(model)(inputs)
    torch.testing.assert_close(found, expected * inputs["attention_mask"][..., None], atol=1e-5, rtol=0)


@settings(max_examples=8, deadline=None)
@given(lengths=st.lists(st.integers(1, 36), min_size=1, max_size=9), seed=st.integers(0, 99))
def test_vectors_of_first_tokens_alone_are_the_same(case, lengths, seed):
    family, model = case
    inputs = padded(lengths, family, seed)
    with torch.inference_mode():
        expected = getattr(model, model.base_model_prefix)(**inputs).last_hidden_state[:, 0]
        live, frozen = packed.encoding_forward(model, first_only=True), partial(packed.frozen_encoding_forward, model)
        torch.testing.assert_close(live(inputs)[:, 0], expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(frozen(None, first_only=True)(inputs)[:, 0], expected, atol=1e-5, rtol=0)


def test_gradients_flow_through_the_vectors_of_all_tokens():
    model, inputs = model_of("bert"), padded([3, 9, 9, 1])
    every = []
    for vectors in (packed.encoding_forward(model)(inputs), model.bert(**inputs).last_hidden_state):
        model.zero_grad()
        (vectors.square() * inputs["attention_mask"][..., None]).sum().backward()
        every.append([parameter.grad for parameter in model.bert.encoder.parameters()])
    for ours, theirs in zip(*every, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("family", ["bert", "xlm-roberta"])
def test_half_precision_differs_from_single_by_rounding_only(family):
    model = model_of(family)
    inputs = padded([12, 30, 3], family)
    with torch.inference_mode():
        whole = packed.stock_forward(model)(inputs)
        half = packed.ranking_forward(model, torch.bfloat16)(inputs)
    torch.testing.assert_close(half.float(), whole, atol=0.05, rtol=0.05)
    with torch.autocast("cpu", torch.bfloat16):
        trained = packed.training_forward(model.train())(inputs)
    torch.testing.assert_close(trained.float(), whole, atol=0.05, rtol=0.05)


@pytest.mark.parametrize("first_only", [False, True])
def test_half_precision_encodes_as_single_but_for_rounding(first_only):
    model, inputs = model_of("bert"), padded([12, 30, 3, 30, 9])
    used = inputs["attention_mask"].bool()
    with torch.inference_mode():
        whole = model.bert(**inputs).last_hidden_state
        half = packed.frozen_encoding_forward(model, torch.bfloat16, first_only=first_only)(inputs)
    used = used[:, : half.shape[1]]
    torch.testing.assert_close(half.float()[used], whole[:, : half.shape[1]][used], atol=0.1, rtol=0.05)


def test_the_padding_token_within_a_text_has_the_place_roberta_gives_it():
    model = model_of("xlm-roberta")
    inputs = padded([10, 7], "xlm-roberta")
    inputs["input_ids"][0, 4] = 1
    with torch.inference_mode():
        expected = packed.stock_forward(model)(inputs)
        torch.testing.assert_close(packed.ranking_forward(model, None)(inputs), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("act", ["gelu_new", "relu"])
def test_other_activations_are_the_models_own(act):
    model, inputs = model_of("bert", hidden_act=act), padded([5, 8])
    with torch.inference_mode():
        expected = packed.stock_forward(model)(inputs)
        torch.testing.assert_close(packed.ranking_forward(model, None)(inputs), expected, atol=1e-5, rtol=0)


def test_without_onednn_the_numbers_are_the_same(monkeypatch):
    model, inputs = model_of("bert"), padded([5, 8, 8])
    with torch.inference_mode():
        expected = packed.ranking_forward(model, None)(inputs)
        monkeypatch.setattr(packed, "_suits", lambda _weight: False)
        torch.testing.assert_close(packed.ranking_forward(model, None)(inputs), expected, atol=1e-5, rtol=0)


def test_dropout_is_drawn_in_training_only_and_keeps_the_mean():
    model = model_of("bert", hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)
    inputs, forward = padded([6, 11]), packed.training_forward(model)
    with torch.no_grad():
        still = forward(inputs)
        assert torch.equal(still, forward(inputs))
        model.train()
        drawn = torch.stack([forward(inputs) for _ in range(300)])
    assert drawn.std(0).min() > 0
    assert ((drawn.mean(0) - still).abs() < drawn.std(0)).all()


@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(1, 36), min_size=1, max_size=40), seed=st.integers(0, 99))
def test_blocks_of_few_shapes_change_neither_logits_nor_gradients(case, lengths, seed):
    family, model = case
    inputs = padded(lengths, family, seed)
    own, blocks, stock = copy.deepcopy(model), copy.deepcopy(model), copy.deepcopy(model)
    expected = packed.stock_forward(stock)(inputs)
    found = [packed.training_forward(own)(inputs), in_blocks(blocks)(inputs)]
    for logits in (*found, expected):
        logits.square().sum().backward()
    for logits, other in zip(found, (own, blocks), strict=True):
        torch.testing.assert_close(logits, expected, atol=1e-5, rtol=0)
        assert_same_gradients(other, stock)


def test_padding_of_blocks_is_hidden():
    model, inputs = model_of("bert"), padded([5, 12, 12, 30, 2])
    with torch.inference_mode():
        expected = packed.stock_forward(model)(inputs)
        torch.testing.assert_close(in_blocks(model)(inputs), expected, atol=1e-5, rtol=0)


def in_blocks(model):
    """The forward pass of half precision, in single."""
    pack = packed.pack

    def forward(inputs):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(packed, "pack", lambda given, **options: pack(given, **{**options, "few_shapes": True}))
            return packed.training_forward(model)(inputs)

    return forward


def assert_same_gradients(model, other):
    found = dict(model.named_parameters())
    for name, parameter in other.named_parameters():
        assert (parameter.grad is None) == (found[name].grad is None), name
        if parameter.grad is not None:
            apart = (found[name].grad - parameter.grad).norm()
            assert apart <= 1e-4 * (parameter.grad.norm() + 1), name


@pytest.mark.parametrize("family", ["bert", "xlm-roberta"])
def test_half_precision_takes_a_single_token_beside_the_longest_text_there_can_be(family):
    """A block of either is longer than its text, and that of the longest than the model has positions for."""
    longest = 37 if family == "bert" else 35
    model = model_of(family, max_position_embeddings=37)
    inputs = padded([longest, 1, longest, 2], family)
    with torch.inference_mode():
        whole = packed.stock_forward(model)(inputs)
        half = packed.ranking_forward(model, torch.bfloat16)(inputs)
    torch.testing.assert_close(half.float(), whole, atol=0.05, rtol=0.05)


def test_what_is_dropped_follows_from_seed_step_and_pair_however_a_step_is_split():
    model = model_of("bert", hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.3).train()
    forward, lengths = packed.training_forward(model), [6, 11, 30, 6, 1]
    inputs, pairs = padded(lengths), np.array([40, 7, 8, 3, 5])
    with torch.no_grad():
        whole = forward(inputs, Draw(1, 2, pairs))
        torch.rand(3)  # the state of torch's generator has no part in it
        parts = [[3, 0], [4, 2, 1]]
        for part in parts:
            some = {name: values[part] for name, values in inputs.items()}
            torch.testing.assert_close(forward(some, Draw(1, 2, pairs[part])), whole[part], atol=1e-5, rtol=0)
        others = [forward(inputs, Draw(*draw)) for draw in ((2, 2, pairs), (1, 3, pairs), (1, 2, pairs + 1))]
    for other in others:
        assert ((other - whole).abs() > 1e-4).all()


def test_half_precision_drops_what_single_precision_drops():
    model = model_of("bert", hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.3).train()
    inputs, draw = padded([6, 11, 30, 1]), Draw(1, 2, np.arange(4))
    with torch.no_grad():
        single = packed.training_forward(model)(inputs, draw)
        with torch.autocast("cpu", torch.bfloat16):
            half = packed.training_forward(model)(inputs, draw)
    torch.testing.assert_close(half.float(), single, atol=0.05, rtol=0.05)


def test_packing_leaves_no_padding_and_knows_the_way_back():
    inputs = {"input_ids": torch.tensor([[5, 6, 0], [7, 8, 9]]), "attention_mask": torch.tensor([[1, 1, 0], [1, 1, 1]])}
    batch = packed.pack(inputs, first_position=0, pad=None, device=torch.device("cpu"))
    assert batch.ids.tolist() == [[7, 8, 9, 5, 6]]
    assert batch.positions.tolist() == [[0, 1, 2, 0, 1]]
    assert (batch.starts.tolist(), batch.places.tolist()) == ([0, 3], [1, 0])
    assert batch.blocks == [Block(0, 1, 3), Block(1, 1, 2)]
    assert batch.types.tolist() == [[0, 0, 0, 0, 0]]


def test_blocks_hold_powers_of_two_of_pairs_and_lengths_in_steps_of_eight():
    lengths = [300, 40, 40, 9, 9, 8, 8, 8]
    mask = (torch.arange(300) < torch.tensor(lengths)[:, None]).long()
    batch = packed.pack({"input_ids": mask, "attention_mask": mask}, few_shapes=True, **WHERE)
    shapes = [(block.first, block.pairs, block.length) for block in batch.blocks]
    assert shapes == [(0, 2, 304), (2, 4, 40), (6, 2, 8)]
    assert batch.ids.shape[1] == 512
    assert [int((block.hidden == 0).sum()) for block in batch.blocks] == [340, 66, 16]
    tokens = torch.arange(512.0)[:, None]
    assert torch.equal(out_of_blocks(into_blocks(tokens, batch), batch)[:422], tokens[:422])


def test_variable_length_attention_is_asked_for_each_pairs_own_tokens(monkeypatch):
    """The GPU's way, with an attention that loops over the pairs in place of the kernel."""
    asked = []

    def each_pair(query, key, value, ends_q, ends_k, longest_q, longest_k):
        asked.append((longest_q, longest_k, query.dtype))
        parts = []
        for q0, q1, k0, k1 in zip(ends_q, ends_q[1:], ends_k, ends_k[1:], strict=False):
            sides = (part.transpose(0, 1)[None] for part in (query[q0:q1], key[k0:k1], value[k0:k1]))
            parts.append(torch.nn.functional.scaled_dot_product_attention(*sides)[0].transpose(0, 1))
        return torch.cat(parts)

    pack = packed.pack

    def with_ends(inputs, **options):
        batch = pack(inputs, **options)
        total = torch.tensor([batch.ids.shape[1]])
        return dataclasses.replace(batch, ends=torch.cat([batch.starts, total]).int())

    model, inputs = model_of("bert"), padded([5, 8, 8, 2])
    with torch.inference_mode():
        expected = packed.stock_forward(model)(inputs)
        monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", each_pair)
        monkeypatch.setattr(packed, "pack", with_ends)
        torch.testing.assert_close(packed.training_forward(model)(inputs), expected, atol=1e-5, rtol=0)
    assert asked == [(8, 8, torch.float32), (1, 8, torch.float32)]


@pytest.mark.parametrize("fixture", ["bert_folder", "roberta_folder"])
def test_a_loaded_folder_is_covered(fixture, request):
    folder = request.getfixturevalue(fixture)
    model = AutoModelForSequenceClassification.from_pretrained(folder, use_safetensors=True, trust_remote_code=False)
    assert packed.covered(model)
    assert not packed.covered(model_of("electra"))
