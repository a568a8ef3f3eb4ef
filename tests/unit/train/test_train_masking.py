"""Which pieces are predicted: as many as were asked for, never a special token, whatever a step is split into."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from switchrank.core.errors import UserError
from switchrank.models.encode import Texts, assemble, read_template, tokenise
from switchrank.models.pretrained import open_tokenizer
from switchrank.train.masking import IGNORED, Masking, labels_of


@pytest.fixture(scope="session")
def tokenizer(start_folder):
    return open_tokenizer(start_folder)


def rows_of(lengths):
    """Texts of such lengths, of pieces 5, 6, 7, and so on."""
    lengths = np.array(lengths, np.int64)
    return Texts(5 + np.arange(lengths.sum(), dtype=np.int32) % 40, np.cumsum(lengths) - lengths, lengths)


def test_the_shares_of_what_is_predicted_and_of_what_stands_there_are_those_of_bert(tokenizer):
    texts = rows_of([400] * 100)
    masked = Masking(tokenizer, 0.15, seed=1)(texts, "mlm", 0, np.arange(100))
    predicted = masked.labels.ids != IGNORED
    read, true = masked.inputs.ids[predicted], masked.labels.ids[predicted]
    covered, kept = int((read == tokenizer.mask_token_id).sum()), int((read == true).sum())
    count, pieces = int(predicted.sum()), len(tokenizer) - 5
    assert binomtest(count, 40_000, 0.15).pvalue > 1e-3
    assert binomtest(covered, count, 0.8).pvalue > 1e-3
    assert binomtest(kept, count, 0.1 + 0.1 / pieces).pvalue > 1e-3
    assert not set(read.tolist()) & ({0, 1, 2, 3, 4} - {tokenizer.mask_token_id})


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(0, 3))
def test_all_else_stays_and_labels_are_what_was_there(tokenizer, lengths, step):
    texts = rows_of(lengths)
    masked = Masking(tokenizer, 0.5, seed=1)(texts, "mlm", step, np.arange(len(lengths)))
    asked = masked.labels.ids != IGNORED
    np.testing.assert_array_equal(masked.inputs.ids[~asked], texts.ids[~asked])
    np.testing.assert_array_equal(masked.labels.ids[asked], texts.ids[asked])
    np.testing.assert_array_equal(masked.inputs.lengths, texts.lengths)


def test_what_is_drawn_for_a_row_depends_on_no_other_row(tokenizer):
    texts, masking = rows_of([7, 30, 12]), Masking(tokenizer, 0.3, seed=1)
    whole = masking(texts, "mlm", 4, np.arange(3)).take(np.array([1]))
    alone = masking(texts.take(np.array([1])), "mlm", 4, np.array([1]))
    for one, other in ((whole.inputs, alone.inputs), (whole.labels, alone.labels)):
        np.testing.assert_array_equal(one.ids[7:37], other.ids)
    others = [masking(texts, *keys, np.arange(3)).inputs.ids.tolist() for keys in (("mlm", 5), ("tlm", 4))]
    assert alone.inputs.ids.tolist() not in [ids[7:37] for ids in others]


def test_special_tokens_have_no_label_in_texts_nor_in_pairs(tokenizer):
    texts = tokenise(tokenizer, ["the sun", "river stone bird"], limit=20)
    masked = Masking(tokenizer, 1.0, seed=1)(texts, "mlm", 0, np.arange(2))
    for pair in (False, True):
        template, most = read_template(tokenizer, pair=pair), 20 * pair
        plain = assemble(template, texts, texts.cut(most))["input_ids"]
        found = labels_of(template, masked.labels, masked.labels.cut(most))
        special = plain < 5
        assert (found[special] == IGNORED).all()
        np.testing.assert_array_equal(found[~special], plain[~special])


def test_a_tokenizer_without_a_mask_token_is_one_line(tokenizer):
    with pytest.raises(UserError, match="tokenizer: no mask token, so that nothing can be masked: start from a model"):
        Masking(dataclasses.replace(tokenizer, mask_token_id=None), 0.15, seed=1)
