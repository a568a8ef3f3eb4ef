"""The tokenizer: frequent words are one piece wherever they stand, and no process makes other bytes."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import unicodedata

import numpy as np
import polars as pl
import pytest
from train_world import ENGLISH, FOREIGN, bytes_of

from switchrank.core.errors import UserError
from switchrank.formats.vectors import write_vectors
from switchrank.train.tokenizer import Sources, balance, build_tokenizer, read_texts


def load(folder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def test_another_process_with_another_hash_seed_writes_the_same_bytes(world, tokenizer_folder, tmp_path):
    code = (
        "from switchrank.train.tokenizer import Sources, build_tokenizer as b\n"
        f"texts = {{l: [r'{world}/' + l + '.txt'] for l in ('qaa', 'en')}}\n"
        f"b(Sources(texts), size=80, out=r'{tmp_path}/t', max_length=32)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TOKENIZERS_PARALLELISM": "true"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, stderr=subprocess.DEVNULL)
    assert bytes_of(tmp_path / "t") == bytes_of(tokenizer_folder)


def test_a_frequent_word_is_the_same_piece_at_the_start_after_a_space_and_inside_a_run(tokenizer_folder):
    tokenizer = load(tokenizer_folder)
    assert tokenizer.tokenize("river stone") == ["river", "stone"]
    assert tokenizer.tokenize("stoneriverbird") == ["stone", "river", "bird"]


def test_case_and_decomposed_letters_make_no_difference(tmp_path):
    (tmp_path / "a.txt").write_text("été noël " * 9, encoding="utf-8")
    build_tokenizer(Sources({"fr": [tmp_path / "a.txt"]}), size=40, out=tmp_path / "t")
    tokenizer = load(tmp_path / "t")
    assert tokenizer.tokenize(unicodedata.normalize("NFD", "ÉTÉ Noël")) == ["été", "noël"]


def test_a_pair_is_laid_out_as_bert_expects(tokenizer_folder):
    tokenizer = load(tokenizer_folder)
    encoded = tokenizer("sun moon", "river")
    pieces = tokenizer.convert_ids_to_tokens(encoded["input_ids"])
    assert pieces == ["[CLS]", "sun", "moon", "[SEP]", "river", "[SEP]"]
    assert encoded["token_type_ids"] == [0, 0, 0, 0, 1, 1]
    assert (tokenizer.pad_token_id, tokenizer.model_max_length) == (0, 32)


def test_a_language_with_only_vectors_brings_its_most_frequent_words(world, tmp_path):
    sources = Sources({"en": [world / "en.txt"]}, vectors={"qaa": world / "qaa"})
    build_tokenizer(sources, size=100, out=tmp_path / "t")
    tokenizer = load(tmp_path / "t")
    assert [tokenizer.tokenize(word) for word in FOREIGN[:3]] == [[word] for word in FOREIGN[:3]]


def test_unspaced_text_is_cut_into_the_words_of_its_vectors(tmp_path):
    words = ["日本", "東京", "大学", "学生"]
    write_vectors(tmp_path / "ja", words, np.eye(4, dtype=np.float32))
    rng = np.random.default_rng(0)
    text = "\n".join("".join(words[number] for number in row) for row in rng.integers(0, 4, size=(50, 5)))
    (tmp_path / "ja.txt").write_text(text, encoding="utf-8")
    sources = Sources({"ja": [tmp_path / "ja.txt"]}, {"ja": tmp_path / "ja"}, unspaced=["ja"])
    build_tokenizer(sources, size=20, out=tmp_path / "t")
    assert load(tmp_path / "t").tokenize("東京大学日本学生") == ["東京", "大学", "日本", "学生"]


def test_characters_never_seen_cost_one_unknown_piece_not_the_word(tokenizer_folder):
    tokenizer = load(tokenizer_folder)
    assert tokenizer("river☃", add_special_tokens=False)["input_ids"] == [
        tokenizer.convert_tokens_to_ids("river"),
        tokenizer.unk_token_id,
    ]


def test_balance_smooths_languages_by_hand():
    words = balance({"a": {"x": 8.0}, "b": {"y": 2.0, "z": 1.0}}, {"c": {"w": 1.0}}, alpha=0.5)
    total = 8**0.5 + 3**0.5 + 8**0.5
    expected = {"w": 8**0.5 / total, "x": 8**0.5 / total, "y": 3**0.5 / total * 2 / 3, "z": 3**0.5 / total / 3}
    assert [word.text for word in words] == ["w", "x", "y", "z"]
    assert [word.probability for word in words] == pytest.approx([expected[word.text] for word in words])
    assert [word.text for word in words if not word.repeated] == ["z"]


def test_text_beyond_the_limit_is_not_read(tmp_path):
    (tmp_path / "a.txt").write_text("sun sun moon\nmoon\nriver river\n", encoding="utf-8")
    build_tokenizer(Sources({"en": [tmp_path / "a.txt"]}), size=40, max_characters=13, out=tmp_path / "t")
    vocabulary = load(tmp_path / "t").get_vocab()
    assert "sun" in vocabulary
    assert "v" not in vocabulary


def test_texts_are_read_from_lines_gzip_and_parquet(tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo", encoding="utf-8")
    with gzip.open(tmp_path / "b.txt.gz", "wt", encoding="utf-8") as file:
        file.write("three\n")
    pl.DataFrame({"query": ["four"], "passage": ["five"]}).write_parquet(tmp_path / "c.parquet")
    texts = [list(read_texts(tmp_path / name)) for name in ("a.txt", "b.txt.gz", "c.parquet")]
    assert texts == [["one", "two"], ["three"], ["four", "five"]]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("none.txt", None, "no such file"),
        ("latin.txt", "stra\xdfe".encode("latin-1"), "not UTF-8"),
        ("short.gz", gzip.compress(b"word " * 99, mtime=0)[:-9], "truncated or corrupt gzip"),
        ("not.parquet", b"PAR0", "not a readable parquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_nothing_is_left(tmp_path, name, content, problem):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=problem) as error:
        build_tokenizer(Sources({"de": [tmp_path / name]}), size=50, out=tmp_path / "out")
    assert str(tmp_path / name) in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_table_without_text_is_refused(tmp_path):
    pl.DataFrame({"id": [1]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(UserError, match="no column of text"):
        list(read_texts(tmp_path / "a.parquet"))


def test_a_vocabulary_too_small_for_the_letters_is_refused(world, tmp_path):
    with pytest.raises(UserError, match="leave no room"):
        build_tokenizer(Sources({"en": [world / "en.txt"]}), size=10, out=tmp_path / "t")


def test_without_any_text_or_vectors_there_is_nothing_to_learn(tmp_path):
    with pytest.raises(UserError, match="no text and no word vectors"):
        build_tokenizer(Sources({}), size=100, out=tmp_path / "t")


def test_every_word_of_the_vocabulary_survives_as_one_piece(tokenizer_folder):
    tokenizer = load(tokenizer_folder)
    vocabulary = tokenizer.get_vocab()
    kept = [word for word in (*ENGLISH, *FOREIGN) if word in vocabulary]
    assert len(kept) > 12
    assert all(tokenizer.tokenize(word) == [word] for word in kept)
