"""Encoded words: which words, the store that is written, and lexicons out of it."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.embeddings import encode
from switchrank.embeddings.encode import encode_words, frequent_words, listed_words
from switchrank.formats.tables import DOCUMENTS, write_table
from switchrank.formats.vectors import load_vectors, vector_files, write_vectors
from switchrank.models.encoder import Encoder

WORDS = ["dog", "hund", "a", "katze", "straße", "cat"]


@pytest.fixture(scope="module")
def model(bert_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A start of ours: an encoder with a head."""
    folder = shutil.copytree(bert_folder, tmp_path_factory.mktemp("encoder") / "start")
    (folder / "start.json").write_text(json.dumps({"model": "tiny-bert"}))
    return folder


def documents(path: Path, *texts: str) -> Path:
    rows = [{"docid": str(number), "text": text, "group": ""} for number, text in enumerate(texts)]
    write_table(pl.DataFrame(rows, schema=DOCUMENTS), path, DOCUMENTS)
    return path


def test_a_store_has_the_words_in_order_as_unit_rows_with_their_lengths(model: Path, tmp_path: Path) -> None:
    record = encode_words(model=model, words=WORDS, out=tmp_path / "en")
    store, expected = load_vectors(tmp_path / "en"), Encoder(model)(WORDS)
    assert store.words == WORDS
    assert np.allclose(store.matrix * store.norms[:, None], expected, atol=1e-5)
    assert np.allclose(np.linalg.norm(store.matrix, axis=1), 1, atol=1e-6)
    assert record == {"method": "encoded", "model": "tiny-bert", "words": 6, "unknown": 0, "dimensions": 32}
    assert json.loads((tmp_path / "en.json").read_text()) == record


def test_equal_words_give_equal_bytes(model: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        encode_words(model=model, words=WORDS, out=tmp_path / name)
    for one, two in zip(vector_files(tmp_path / "one"), vector_files(tmp_path / "two"), strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_a_language_of_many_words_is_encoded_part_by_part(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode_words(model=model, words=WORDS, out=tmp_path / "whole")
    monkeypatch.setattr(encode, "_CHUNK", 4)
    encode_words(model=model, words=WORDS, out=tmp_path / "parts")
    whole, parts = load_vectors(tmp_path / "whole"), load_vectors(tmp_path / "parts")
    assert whole.words == parts.words
    assert np.allclose(whole.matrix, parts.matrix, atol=1e-6)


def test_words_of_unknown_pieces_alone_are_left_out_and_counted(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = encode_words(model=model, words=["dog", "собака", "☃", "a-☃"], out=tmp_path / "en")
    assert load_vectors(tmp_path / "en").words == ["dog", "a-☃"]
    assert record["unknown"] == 2
    assert "2 of 4 words have only unknown pieces: left out" in capsys.readouterr().err


def test_a_model_that_knows_no_word_is_told(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"writes all of 2 words as unknown pieces: name a model that knows"):
        encode_words(model=model, words=["собака", "кот"], out=tmp_path / "ru")


def test_a_list_has_words_in_its_first_column(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "words.txt.gz", "wt", encoding="utf-8") as file:
        file.write("the 1000\nof\t900\n\nthe 3\nИ 2\n")
    assert listed_words(tmp_path / "words.txt.gz") == ["the", "of", "И"]
    assert listed_words(tmp_path / "words.txt.gz", 2) == ["the", "of"]


def test_the_words_of_a_store_are_a_list(tmp_path: Path) -> None:
    write_vectors(tmp_path / "en", ["b", "a"], np.eye(2, dtype=np.float32))
    assert listed_words(tmp_path / "en.words.parquet") == ["b", "a"]


def test_an_empty_list_is_told(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("\n \n")
    with pytest.raises(UserError, match="no words: give a file with a word a line"):
        listed_words(tmp_path / "words.txt")


def test_words_of_documents_come_by_frequency_in_lower_case(tmp_path: Path) -> None:
    one = documents(tmp_path / "one.parquet", "The dog, the cat.", "the DOG")
    two = documents(tmp_path / "two.parquet", "zebra cat cat")
    assert frequent_words([one, two]) == ["cat", "the", "dog", "zebra"]
    assert frequent_words([one, two], 2) == ["cat", "the"]


def test_lower_case_is_that_of_the_language(tmp_path: Path) -> None:
    table = documents(tmp_path / "tr.parquet", "IRMAK")
    assert frequent_words([table], language="tr") == ["ırmak"]
    assert frequent_words([table], language="en") == ["irmak"]


def test_text_without_spaces_is_cut_by_the_words_of_vectors(tmp_path: Path) -> None:
    write_vectors(tmp_path / "zh", ["北京", "大学"], np.eye(2, dtype=np.float32))
    table = documents(tmp_path / "documents.parquet", "北京大学北京")
    assert frequent_words([table], vocabulary=tmp_path / "zh") == ["北京", "大学"]


def test_documents_without_a_word_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no words: give documents that have some"):
        frequent_words([documents(tmp_path / "none.parquet", "...")])


def test_a_lexicon_of_encoded_words_from_the_command_line(model: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("dog\ncat\nkatze\n")
    table = documents(tmp_path / "documents.parquet", "katze dog cat")
    common = ["embeddings", "encode", "--model", str(model)]
    assert main([*common, "--words", f"{tmp_path}/words.txt", "--out", f"{tmp_path}/en"]) == 0
    assert main([*common, "--texts", str(table), "--language", "de", "--out", f"{tmp_path}/de"]) == 0
    stores = ["--source", f"{tmp_path}/en", "--target", f"{tmp_path}/de"]
    assert main(["lexicon", "induce", *stores, "--out", f"{tmp_path}/en-de.parquet"]) == 0
    found = pl.read_parquet(tmp_path / "en-de.parquet")
    assert found.select("source", "target", "rank").rows() == [(word, word, 1) for word in ("dog", "cat", "katze")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "e5-small-q4"], "--words, --texts: none of them given"),
        (["--model", "e5-small-q4", "--words", "a", "--texts", "b"], "--words, --texts: both given"),
        (["--model", "bge-reranker-v2-m3", "--words", "a"], "is a cross-encoder, which reads pairs of texts"),
        (["--model", "Qwen3-Reranker-0.6B", "--words", "a"], "cannot be opened yet"),
        (["--model", "e5-small-q4", "--words", "no-such-list"], "no-such-list: no such file"),
    ],
)
def test_a_wrong_call_is_one_line(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["embeddings", "encode", "--out", f"{tmp_path}/en", *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
