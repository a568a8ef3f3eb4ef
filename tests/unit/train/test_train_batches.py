"""Batches: what a tokenizer would make of each pair, padded little, in an order the seed decides."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from train_world import corpus_frame
from transformers import AutoTokenizer

from switchrank.core.errors import UserError
from switchrank.formats.tables import CORPUS, write_table
from switchrank.models.pretrained import open_tokenizer
from switchrank.train.batches import Batcher, Pairs
from switchrank.train.units import Order


def roberta_like(folder):
    """The same pieces laid out as XLM-R does: two separators, no types."""
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    backend = open_tokenizer(folder).backend_tokenizer
    special = [(token, backend.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] [SEP] $B [SEP]", special_tokens=special
    )
    names = ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="[PAD]", model_max_length=32, model_input_names=names
    )


@pytest.mark.parametrize("layout", ["bert", "roberta"])
@pytest.mark.parametrize("truncation", ["longest_first", "only_second"])
def test_a_batch_holds_what_the_tokenizer_makes_of_each_pair(world, tokenizer_folder, layout, truncation):
    frame = corpus_frame()
    pairs = Pairs([world / "train.parquet"])
    stock = AutoTokenizer.from_pretrained(tokenizer_folder) if layout == "bert" else roberta_like(tokenizer_folder)
    tokenizer = open_tokenizer(tokenizer_folder) if layout == "bert" else stock
    batcher = Batcher(pairs, tokenizer, max_length=14, truncation=truncation, token_budget=100)
    seen = []
    for batch in batcher.split(np.arange(len(pairs))):
        assert batch.inputs["input_ids"].numel() <= 100
        texts = [frame["query"][int(row)] for row in batch.rows], [frame["passage"][int(row)] for row in batch.rows]
        expected = stock(*texts, truncation=truncation, max_length=14, padding=True, return_tensors="pt")
        assert set(expected) == set(batch.inputs)
        for name, tensor in expected.items():
            assert (tensor == batch.inputs[name]).all(), name
        seen.extend(batch.rows)
    assert sorted(seen) == list(range(len(pairs)))


def test_a_text_is_cut_into_pieces_once_however_often_it_occurs(tmp_path):
    row = ("q", "sun", "p", "moon", 1, "en", "en")
    write_table(pl.DataFrame([row] * 5, schema=CORPUS, orient="row"), tmp_path / "same.parquet", CORPUS)
    pairs = Pairs([tmp_path / "same.parquet", tmp_path / "same.parquet"])
    assert (len(pairs), pairs.texts.to_list()) == (10, ["sun", "moon"])


def test_each_pass_is_a_new_permutation_and_steps_cut_it_without_gaps():
    order = Order(10, 4, seed=3)
    rows = order.rows(0, 5)
    assert sorted(rows[:10]) == sorted(rows[10:]) == list(range(10))
    assert rows[:10].tolist() != rows[10:].tolist()
    assert np.concatenate([Order(10, 4, seed=3).rows(step, step + 1) for step in range(5)]).tolist() == rows.tolist()
    assert order.rows(3, 4).tolist() == rows[12:16].tolist()


def test_a_corpus_smaller_than_a_batch_is_seen_several_times():
    assert sorted(Order(2, 5, seed=1).rows(0, 2)) == [0] * 5 + [1] * 5


def test_the_order_depends_on_the_seed():
    assert Order(50, 5, seed=1).rows(0, 10).tolist() != Order(50, 5, seed=2).rows(0, 10).tolist()


def test_an_empty_corpus_is_refused(tmp_path):
    write_table(pl.DataFrame(schema=CORPUS), tmp_path / "empty.parquet", CORPUS)
    with pytest.raises(UserError, match="no training pairs"):
        Pairs([tmp_path / "empty.parquet"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch_size=st.integers(1, 50), budget=st.integers(1, 400), seed=st.integers(0, 9))
def test_an_epoch_holds_every_instance_exactly_once_whatever_the_batches(
    world, tokenizer_folder, batch_size, budget, seed
):
    pairs = Pairs([world / "train.parquet"])
    shape = {"max_length": 24, "truncation": "longest_first", "token_budget": budget}
    batcher = Batcher(pairs, open_tokenizer(tokenizer_folder), **shape)
    order = Order(len(pairs), batch_size, seed)
    steps = -(-len(pairs) // batch_size)
    seen = [batch.rows for step in range(steps) for batch in batcher.split(order.rows(step, step + 1))]
    counts = np.bincount(np.concatenate(seen), minlength=len(pairs))
    extra = steps * batch_size - len(pairs)
    assert counts.min() == 1
    assert counts.sum() == len(pairs) + extra
    epoch = np.concatenate([order.rows(step, step + 1) for step in range(steps)])[: len(pairs)]
    assert sorted(epoch) == list(range(len(pairs)))
