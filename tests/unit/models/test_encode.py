"""Batches put together from tokenised texts equal what the tokenizer makes of each pair."""

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from switchrank.core.errors import UserError
from switchrank.models.encode import Texts, assemble, read_template, tokenise, truncated

_opened = lru_cache(AutoTokenizer.from_pretrained)
text = st.text(alphabet="abcäß 1,.", max_size=40)


def _batch(tokenizer, pairs, max_length, truncation):
    template = read_template(tokenizer)
    room = max_length - template.specials
    queries = tokenise(tokenizer, [q for q, _ in pairs], limit=room, what="queries")
    passages = tokenise(tokenizer, [p for _, p in pairs], limit=room, what="passages")
    return assemble(template, *truncated(queries, passages, room=room, truncation=truncation))


def _kept(query, passage, **options):
    """Tokens kept of a pair of texts of these lengths."""
    texts = (Texts(np.zeros(length, np.int32), np.array([0]), np.array([length])) for length in (query, passage))
    return [int(side.lengths[0]) for side in truncated(*texts, **options)]


@pytest.mark.parametrize("fixture", ["bert_folder", "roberta_folder"])
@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(text, text), min_size=1, max_size=5), max_length=st.integers(8, 40))
def test_a_batch_equals_the_tokenizer_with_longest_first(fixture, pairs, max_length, request):
    tokenizer = _opened(str(request.getfixturevalue(fixture)))
    expected = tokenizer(
        [q for q, _ in pairs],
        [p for _, p in pairs],
        truncation="longest_first",
        max_length=max_length,
        padding=True,
        return_tensors="np",
    )
    found = _batch(tokenizer, pairs, max_length, "longest_first")
    assert sorted(found) == sorted(expected)
    for name, values in found.items():
        np.testing.assert_array_equal(values, expected[name])


@pytest.mark.parametrize("fixture", ["bert_folder", "roberta_folder"])
@settings(max_examples=30, deadline=None)
@given(texts=st.lists(text, min_size=1, max_size=5), max_length=st.integers(8, 40))
def test_a_batch_of_single_texts_equals_the_tokenizer(fixture, texts, max_length, request):
    tokenizer = _opened(str(request.getfixturevalue(fixture)))
    expected = tokenizer(texts, truncation=True, max_length=max_length, padding=True, return_tensors="np")
    template = read_template(tokenizer, pair=False)
    found = tokenise(tokenizer, texts, limit=max_length).cut(max_length - template.specials)
    batch = assemble(template, found, found.cut(0))
    assert sorted(batch) == sorted(expected)
    for name, values in batch.items():
        np.testing.assert_array_equal(values, expected[name])


@settings(max_examples=30, deadline=None)
@given(passage=text, max_length=st.integers(10, 30))
def test_a_batch_equals_the_tokenizer_with_only_second(bert_folder, passage, max_length):
    tokenizer = _opened(str(bert_folder))
    expected = tokenizer(["abc"], [passage], truncation="only_second", max_length=max_length, return_tensors="np")
    found = _batch(tokenizer, [("abc", passage)], max_length, "only_second")
    np.testing.assert_array_equal(found["input_ids"], expected["input_ids"])


def test_only_second_leaves_the_passage_a_token_where_the_query_is_too_long():
    assert _kept(50, 3, room=20, truncation="only_second") == [19, 1]


@given(st.integers(0, 60), st.integers(1, 60), st.integers(2, 50), st.sampled_from(["longest_first", "only_second"]))
def test_truncation_keeps_all_that_fits_and_never_more(query, passage, room, truncation):
    kept = _kept(query, passage, room=room, truncation=truncation)
    assert kept[0] <= query
    assert kept[1] <= passage
    assert sum(kept) == min(room, query + passage)


def test_a_tokenizer_without_padding_is_an_error(bert_folder):
    tokenizer = AutoTokenizer.from_pretrained(bert_folder)
    tokenizer.pad_token = None
    with pytest.raises(UserError, match="padding token"):
        read_template(tokenizer)
