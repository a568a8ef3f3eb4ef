"""Lexical injection: which layer learns, which pairs are told apart, and what a run tells of it."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
import torch
from train_world import ENGLISH, FOREIGN, train_record, weights
from transformers import AutoModel, AutoTokenizer

from switchrank.core.errors import UserError
from switchrank.formats.tables import LEXICON, write_table
from switchrank.train.method import Data
from switchrank.train.training import train_model
from switchrank.train.word_pairs import draw_words, sharing_words

SETTINGS = {"steps": 20, "batch_size": 8, "lr": 3e-3, "warmup": 0, "dropout": 0.0, "eval_every": 0}


@pytest.fixture
def inject(deep_folder, lexicon, tmp_path):
    """Inject into ``tmp_path/<name>``; returns the folder."""

    def inject(name="model", files=None, **changes):
        data = Data({"start": deep_folder, "lexicon": [lexicon], **(files or {})})
        train_model(data, method="inject", out=tmp_path / name, settings=SETTINGS | changes)
        return tmp_path / name

    return inject


def stock_words(folder, words, layer):
    """The mean of the states of each word after so many layers, without special tokens, by transformers."""
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        states = [model(**tokenizer(word, return_tensors="pt"), output_hidden_states=True) for word in words]
    return torch.stack([one.hidden_states[layer][0, 1:-1].mean(0) for one in states])


@pytest.mark.parametrize("layer", [1, 2, None])
def test_the_loss_is_the_cross_entropy_of_states_of_a_layer(inject, deep_folder, lexicon, layer):
    pairs = draw_words([lexicon], translations=1, held_out=500, seed=1)
    words = pairs.words.to_list()
    sides = [stock_words(deep_folder, [words[n] for n in side], layer or 3) for side in pairs.held_out.T]
    one, other = (torch.nn.functional.normalize(side, dim=1) for side in sides)
    own = torch.arange(len(one))
    both = [torch.nn.functional.cross_entropy(side / 0.1, own).item() for side in (one @ other.T, other @ one.T)]
    record = train_record(inject(layer=layer, temperature=0.1, steps=1, lr=1e-30))[0]
    assert record["before"]["loss"] == pytest.approx(np.mean(both), rel=1e-3)
    assert record["layer"] == {"trained": layer or 3, "of": 3}


def test_layers_above_the_one_that_learns_stay_as_they_were(inject, deep_folder):
    before, after = weights(deep_folder), weights(inject(layer=2))
    changed = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert changed
    assert all(".embeddings." in name or ".layer.0." in name or ".layer.1." in name for name in changed)
    assert any(".layer.1." in name for name in changed)


def test_the_pairs_that_are_learned_find_each_other(inject, deep_folder, lexicon):
    pairs = draw_words([lexicon], translations=1, held_out=500, seed=1)
    words, (sources, targets) = pairs.words.to_list(), pairs.trained_on.T
    folder, shares = inject(steps=60, layer=2), []
    for model in (deep_folder, folder):
        one, other = (stock_words(model, [words[n] for n in side], 2) for side in (sources, targets))
        cosines = torch.nn.functional.cosine_similarity(one[:, None], other[None], dim=2)
        shares.append((cosines.argmax(1) == torch.arange(len(sources))).float().mean().item())
    assert shares[0] < 0.5 < shares[1] == 1
    assert train_record(folder)[0]["dev"][-1].keys() >= {"loss", "word_p_at_1", "word_p_at_1_back", "random_cosine"}


def test_what_was_done_is_told_beside_the_model(inject):
    folder = inject(layer=1, steps=2)
    record, (learned,) = train_record(folder)[0], json.loads((folder / "start.json").read_text())["learned"]
    assert (learned["method"], learned["data"], learned["layer"]) == (
        "inject",
        "10 word pairs",
        {"trained": 1, "of": 3},
    )
    assert record["words"] == {"trained_on": 10, "held_out": 2, "left_out": 0, "unchanged": 1}
    told = " ".join((folder / "README.md").read_text().split())
    assert "further trained on 10 word pairs (inject)" in told
    assert "to give a word and its translation the same vector in layer 1 of 3." in told


def test_pairs_are_the_best_translations_and_no_word_is_trained_on_and_judged(lexicon):
    best, every = (draw_words([lexicon], translations=count, held_out=500, seed=1) for count in (1, 2))
    words = best.words.to_list()
    found = {tuple(words[n] for n in pair) for pair in [*best.trained_on, *best.held_out]}
    assert found == {*zip(ENGLISH, FOREIGN, strict=True)}
    assert (len(best.held_out), best.left_out, best.unchanged) == (2, 0, 1)
    assert not {*every.trained_on.ravel()} & {*every.held_out.ravel()}
    assert len(every.trained_on) + len(every.held_out) + every.left_out == 23
    assert every.left_out > 0


def test_pairs_with_a_word_in_common_are_not_told_apart():
    pairs = np.array([[0, 1], [0, 2], [3, 1], [4, 5], [1, 6]])
    expected = [[1, 1, 1, 0, 1], [1, 1, 0, 0, 0], [1, 0, 1, 0, 1], [0, 0, 0, 1, 0], [1, 0, 1, 0, 1]]
    assert sharing_words(pairs).astype(int).tolist() == expected


def test_a_layer_that_there_is_not_is_one_line(inject):
    with pytest.raises(UserError, match="deep: layer: no layer 4, as there are 3: write 1 to 3, or null for the last"):
        inject(layer=4)


def test_a_lexicon_with_too_few_pairs_is_one_line(inject, tmp_path):
    rows = [(word, word, 1.0, 1) for word in ENGLISH] + [("sun", "nusum", 1.0, 1)]
    write_table(pl.DataFrame(rows, schema=LEXICON, orient="row"), tmp_path / "en-xx.parquet", LEXICON)
    problem = (
        r"en-xx.parquet: too few pairs of different words \(1\) to train on some and judge by others: give lexicons"
    )
    with pytest.raises(UserError, match=problem) as told:
        inject(files={"lexicon": [tmp_path / "en-xx.parquet"]})
    assert "\n" not in str(told.value)


def test_a_method_without_its_lexicon_is_one_line(inject):
    with pytest.raises(UserError, match="train: lexicon: not given, and this method needs it: give lexicon"):
        inject(files={"lexicon": None})
