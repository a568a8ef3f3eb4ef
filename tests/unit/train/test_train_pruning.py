"""A pruned model ranks the texts that it was pruned to as the whole model does."""

from __future__ import annotations

import json
import shutil

import polars as pl
import pytest
import torch
from tests.unit.models.four_bit_file import write_four_bit
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from switchrank.core.errors import UserError
from switchrank.models.four_bit import import_four_bit
from switchrank.models.pretrained import open_both
from switchrank.train.pruning import prune_vocabulary, pruned

TEXTS = ["the cat is a", "bad cab", "café"]


@pytest.fixture
def texts(tmp_path):
    pl.DataFrame({"docid": ["1", "2", "3"], "text": TEXTS}).write_parquet(tmp_path / "documents-en.parquet")
    return tmp_path / "documents-en.parquet"


@pytest.fixture(params=["bert", "roberta", "unigram"])
def folder(request, tmp_path):
    if request.param != "unigram":
        return request.getfixturevalue(f"{request.param}_folder")
    write_four_bit(tmp_path / "tiny.bin")
    import_four_bit(file=tmp_path / "tiny.bin", out=tmp_path / "imported")
    model, _ = open_both(tmp_path / "imported")
    shutil.copytree(tmp_path / "imported", tmp_path / "ranker")
    model.save_pretrained(tmp_path / "ranker")
    return tmp_path / "ranker"


def pieces(folder, text):
    return Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text, "a").tokens


def logits(folder):
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    inputs = AutoTokenizer.from_pretrained(folder)(TEXTS, TEXTS[::-1], padding=True, return_tensors="pt")
    with torch.inference_mode():
        return model(**inputs).logits


def test_the_texts_are_cut_and_ranked_as_before(folder, texts, tmp_path):
    record = prune_vocabulary(model=folder, texts=[texts], out=tmp_path / "pruned")
    assert record["used"] < record["kept"] < record["of"]
    for text in TEXTS:
        assert pieces(tmp_path / "pruned", text) == pieces(folder, text)
    torch.testing.assert_close(logits(tmp_path / "pruned"), logits(folder), rtol=1e-5, atol=1e-6)
    model, tokenizer = open_both(tmp_path / "pruned", new_head=False)
    assert tokenizer.vocab_size == len(model.get_input_embeddings().weight) == record["kept"]
    assert json.loads((tmp_path / "pruned" / "origin.json").read_text())["vocabulary"] == record


def unknown(folder, text):
    """How many pieces of a text are unknown."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    numbers = {tokenizer.token_to_id("[UNK]"), tokenizer.token_to_id("<unk>")}
    return sum(number in numbers for number in tokenizer.encode(text).ids)


def test_other_text_has_unknown_pieces(folder, texts, tmp_path):
    prune_vocabulary(model=folder, texts=[texts], out=tmp_path / "pruned")
    assert [unknown(place, "zzz") for place in (folder, tmp_path / "pruned")] == [0, 1]
    assert unknown(tmp_path / "pruned", "tac") == 0


def test_words_of_lexicons_count_too(folder, texts, tmp_path):
    pl.DataFrame({"source": ["is"], "target": ["xyz"]}).write_parquet(tmp_path / "en-xx.parquet")
    prune_vocabulary(model=folder, texts=[texts, tmp_path / "en-xx.parquet"], out=tmp_path / "pruned")
    assert pieces(tmp_path / "pruned", "xyz") == pieces(folder, "xyz")


def test_a_vocabulary_of_merges_is_one_line(bert_folder, texts, tmp_path):
    shutil.copytree(bert_folder, tmp_path / "bpe")
    described = json.loads((tmp_path / "bpe" / "tokenizer.json").read_text())
    described["model"] = {"type": "BPE", "vocab": {"a": 0}, "merges": []}
    (tmp_path / "bpe" / "tokenizer.json").write_text(json.dumps(described))
    with pytest.raises(UserError, match="a vocabulary of type BPE cannot be pruned: write vocabulary: whole"):
        prune_vocabulary(model=tmp_path / "bpe", texts=[texts], out=tmp_path / "pruned")


def test_without_texts_a_model_is_taken_as_it_is():
    with pruned("owner/name", []) as model:
        assert model == "owner/name"
