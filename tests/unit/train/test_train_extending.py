"""A model that is extended writes further languages, and its own language as before; expected rows by hand."""

from __future__ import annotations

import json
import shutil

import numpy as np
import polars as pl
import pytest
from safetensors.torch import load_file
from tokenizers import Tokenizer

from switchrank.core.errors import UserError
from switchrank.formats.tables import LEXICON, write_table
from switchrank.formats.vectors import write_vectors
from switchrank.models.pretrained import open_both
from switchrank.train.extending import extend_vocabulary

WORDS = ["cat", "dog", "house", "cafe", "un", "##known", "##s", "x", "##x"]
ENGLISH = "the cat is a dog\ncat café café Häuser unknown\n"
GERMAN = "Katze Katze Hund Hund Hunde Hunde Hundes Hundes Häuser Häuser cat cat\n"
RUSSIAN = "кот кот дом дом\n"


@pytest.fixture
def folder(bert_folder, tmp_path):
    """A model that knows some words, and strips the accents of all."""
    made = tmp_path / "model"
    shutil.copytree(bert_folder, made)
    described = json.loads((made / "tokenizer.json").read_text())
    special = [token["content"] for token in sorted(described["added_tokens"], key=lambda token: token["id"])]
    letters = [piece for piece in described["model"]["vocab"] if piece not in special]
    rows = json.loads((made / "config.json").read_text())["vocab_size"]
    pieces = [*special, *WORDS, *letters][:rows]
    described["model"] = {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": {piece: number for number, piece in enumerate(dict.fromkeys(pieces))},
    }
    bert = {"clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
    described["normalizer"] = {"type": "BertNormalizer", **bert}
    described["pre_tokenizer"] = {"type": "BertPreTokenizer"}
    (made / "tokenizer.json").write_text(json.dumps(described))
    return made


@pytest.fixture
def given(tmp_path):
    """Texts of three languages, and a lexicon of two."""
    for name, text in {"en": ENGLISH, "de": GERMAN, "ru": RUSSIAN}.items():
        (tmp_path / f"{name}.txt").write_text(text)
    for language, rows in {
        "de": [("cat", "katze", 0.9, 1), ("dog", "hund", 0.8, 1), ("cat", "hund", 0.1, 2), ("zzz", "hunde", 0.1, 1)],
        "ru": [("cat", "кот", 0.9, 1), ("house", "дом", 0.9, 1)],
    }.items():
        write_table(pl.DataFrame(rows, schema=LEXICON, orient="row"), tmp_path / f"en-{language}.parquet", LEXICON)
    return {
        "texts": {name: [tmp_path / f"{name}.txt"] for name in ("en", "de", "ru")},
        "lexicons": {name: tmp_path / f"en-{name}.parquet" for name in ("de", "ru")},
    }


def vocabulary(folder):
    return json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]


def embeddings(folder):
    weights = load_file(folder / "model.safetensors")
    return next(rows for name, rows in weights.items() if name.endswith("word_embeddings.weight")).numpy()


def pieces(folder, text):
    return Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text, add_special_tokens=False).tokens


def of_length(row, old):
    """A mean with the median norm of old rows."""
    return row / np.linalg.norm(row) * np.median(np.linalg.norm(old, axis=1))


def test_old_pieces_keep_their_numbers_and_rows_and_new_languages_are_written(folder, given, tmp_path):
    record = extend_vocabulary(model=folder, out=tmp_path / "more", pieces=200, **given)
    before, after = vocabulary(folder), vocabulary(tmp_path / "more")
    assert {piece: after[piece] for piece in before} == before
    old, new = embeddings(folder), embeddings(tmp_path / "more")
    np.testing.assert_array_equal(new[: len(old)], old)
    assert len(new) == len(old) + record["pieces"] == max(after.values()) + 1
    for text in ("Katze", "Häuser", "кот"):
        assert pieces(tmp_path / "more", text) == [text.lower()]
    assert pieces(tmp_path / "more", "Hundes") == ["hundes"]
    assert record["languages"]["ru"]["unknown"] == [1.0, 0.0]
    model, tokenizer = open_both(tmp_path / "more", new_head=False)
    assert tokenizer.vocab_size <= len(model.get_input_embeddings().weight) == len(new)
    told = json.loads((tmp_path / "more" / "start.json").read_text())
    assert told == {"model": "model", "licence": "not stated", "extend": record}


def test_rows_come_from_the_first_way_that_finds_one(folder, given, tmp_path):
    record = extend_vocabulary(model=folder, out=tmp_path / "more", pieces=200, **given)
    numbers, old, new = vocabulary(tmp_path / "more"), embeddings(folder), embeddings(tmp_path / "more")
    cat, dog = old[numbers["cat"]], old[numbers["dog"]]
    np.testing.assert_array_equal(new[numbers["café"]], old[numbers["cafe"]])
    np.testing.assert_allclose(new[numbers["katze"]], of_length(cat, old), rtol=1e-5)
    np.testing.assert_allclose(new[numbers["hund"]], of_length((dog + cat / 2) / 1.5, old), rtol=1e-5)
    shares = record["languages"]["de"]
    assert sum(shares.get(way, 0) for way in ("copy", "lexicon", "parts", "random")) == pytest.approx(1, abs=1e-3)
    assert record["languages"]["en"] == {"pieces": 1, "copy": 1.0}


def test_without_lexicon_rows_a_word_has_those_of_its_letters(folder, given, tmp_path):
    extend_vocabulary(model=folder, out=tmp_path / "more", pieces=200, rows=["parts"], **given)
    numbers, old, new = vocabulary(tmp_path / "more"), embeddings(folder), embeddings(tmp_path / "more")
    parts = [numbers[piece] for piece in pieces(folder, "katze")]
    np.testing.assert_allclose(new[numbers["katze"]], of_length(old[parts].mean(axis=0), old), rtol=1e-4)


def test_vectors_weigh_the_nearest_pieces_by_a_softmax(folder, given, tmp_path):
    words = [word for word in vocabulary(folder) if word.isalpha() and word not in ("un", "cafe")][:11]
    known = dict(zip(words, np.random.default_rng(1).standard_normal((11, 3)), strict=True))
    write_vectors(tmp_path / "v-en", list(known), np.array(list(known.values()), np.float32))
    write_vectors(tmp_path / "v-ru", ["кот", "дом"], np.array([[1, 0.1, 0], [0, 0.2, 1]], np.float32))
    vectors = {"en": tmp_path / "v-en", "ru": tmp_path / "v-ru"}
    extend_vocabulary(model=folder, out=tmp_path / "more", pieces=200, rows=["vectors"], vectors=vectors, **given)
    numbers, old, new = vocabulary(tmp_path / "more"), embeddings(folder), embeddings(tmp_path / "more")

    def centred(rows):
        rows = np.array(rows, float)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        rows -= np.average(rows, axis=0, weights=1 / np.arange(1, len(rows) + 1))
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    cosines = centred([[1, 0.1, 0], [0, 0.2, 1]])[0] @ centred(list(known.values())).T
    nearest = np.argsort(-cosines)[:10]
    weights = np.exp(cosines[nearest] / 0.1)
    row = (weights / weights.sum()) @ old[[numbers[list(known)[place]] for place in nearest]]
    np.testing.assert_allclose(new[numbers["кот"]], of_length(row, old), rtol=1e-4)


def test_what_becomes_of_english_is_told(folder, given, tmp_path):
    record = extend_vocabulary(model=folder, out=tmp_path / "more", pieces=200, **given)
    changed = record["changed"]
    differ = [word for word in ENGLISH.split() if pieces(folder, word) != pieces(tmp_path / "more", word)]
    assert sorted(differ) == ["Häuser", "café", "café"]
    assert changed == {"words": 10, "accents": 0.3, "pieces": 0.0, "examples": []}
    assert pieces(tmp_path / "more", "unknown") == ["un", "##known"]


def test_pieces_are_shared_by_the_languages(folder, given, tmp_path):
    record = extend_vocabulary(model=folder, out=tmp_path / "more", pieces=7, **given)
    assert record["pieces"] == 7
    assert [record["languages"][language]["pieces"] for language in ("en", "de", "ru")] == [1, 3, 3]


def test_equal_inputs_give_equal_bytes(folder, given, tmp_path):
    for name in "ab":
        extend_vocabulary(model=folder, out=tmp_path / name, pieces=50, rows=["copy"], **given)
    for file in ("model.safetensors", "tokenizer.json", "start.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_language_with_a_lexicon_needs_no_text(folder, given, tmp_path):
    extend_vocabulary(model=folder, out=tmp_path / "more", texts={}, lexicons=given["lexicons"])
    assert pieces(tmp_path / "more", "katze дом") == ["katze", "дом"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"texts": {"sw": []}}, "more: sw: no text and no lexicon to learn pieces from: give it some, or leave sw out"),
        ({"lexicons": {}}, "model: rows: lexicon without a lexicon: give lexicons, or leave lexicon out"),
        ({"rows": ["vectors"]}, "model: rows: vectors without those of en and of another language: give them, or"),
    ],
)
def test_what_cannot_be_made_is_one_line(folder, given, tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        extend_vocabulary(model=folder, out=tmp_path / "more", **{**given, **changes})


def test_another_vocabulary_is_one_line(folder, given, tmp_path):
    described = json.loads((folder / "tokenizer.json").read_text())
    described["model"] = {"type": "BPE", "vocab": {"a": 0}, "merges": []}
    (folder / "tokenizer.json").write_text(json.dumps(described))
    with pytest.raises(UserError, match="a vocabulary of type BPE cannot be extended: start from a model with a Word"):
        extend_vocabulary(model=folder, out=tmp_path / "more", **given)
