"""Binary vector files, word2vec's and fastText's, held against hand-made bytes and the fastText module itself."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
from pathlib import Path

import fasttext
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchrank.core.errors import UserError
from switchrank.embeddings import fasttext_binary
from switchrank.embeddings.fasttext_binary import ngram_hashes
from switchrank.embeddings.read import import_vectors
from switchrank.formats.vector_kinds import vector_kind
from switchrank.formats.vectors import Vectors, load_vectors

TEXT = "der hund läuft über die straße\nein hund schläft \u4f60\u597d na\u00efve \U0001f600 x\n" * 20
UNSEEN = ["hunde", "straßen", "läufer", "\u4f60", "\U0001f600\U0001f600", "zz", "y"]


def imported(tmp_path: Path, content: bytes, name: str = "a", **options) -> Vectors:
    (tmp_path / name).write_bytes(content)
    import_vectors(path=tmp_path / name, out=tmp_path / "store", **options)
    return load_vectors(tmp_path / "store")


def word2vec_bytes(rows: list[tuple[bytes, list[float]]], end: bytes = b"\n", promised: int | None = None) -> bytes:
    dimensions = len(rows[0][1])
    head = b"%d %d\n" % (len(rows) if promised is None else promised, dimensions)
    return head + b"".join(word + b" " + struct.pack(f"<{dimensions}f", *row) + end for word, row in rows)


def trained(folder: Path, **options) -> Path:
    (folder / "text.txt").write_text(TEXT, encoding="utf-8")
    settings = {"dim": 8, "epoch": 3, "t": 1.0, "minCount": 1, "bucket": 50, "thread": 1, "verbose": 0} | options
    model = fasttext.train_unsupervised(str(folder / "text.txt"), **settings)
    model.save_model(str(folder / "model.bin"))
    return folder / "model.bin"


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return trained(tmp_path_factory.mktemp("fasttext"))


ROWS = [(b"hot", [3.0, 4.0]), (b"cold", [0.0, -2.0]), ("stra\u00dfe".encode(), [1.0, 1.0])]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_word2vec_rows_become_unit_vectors_with_or_without_line_feeds(tmp_path, end, pack):
    store = imported(tmp_path, pack(word2vec_bytes(ROWS, end)))
    assert store.words == ["hot", "cold", "straße"]
    np.testing.assert_allclose(store.matrix[:2], [[0.6, 0.8], [0, -1]], rtol=1e-6)
    np.testing.assert_allclose(store.norms, [5, 2, np.sqrt(2)], rtol=1e-6)


def test_word2vec_skips_and_counts_what_is_no_word_or_no_vector(tmp_path, capsys):
    bad = [(b"hot", [1.0, 1.0]), (b"zero", [0.0, 0.0]), (b"nan", [np.nan, 1.0]), (b"\xff", [1.0, 1.0]), (b"", [1.0, 2])]
    assert imported(tmp_path, word2vec_bytes([*ROWS, *bad])).words == ["hot", "cold", "straße"]
    told = capsys.readouterr().err
    assert "skipped 1 repeated words" in told
    assert "skipped 2 rows without a direction" in told
    assert "skipped 1 words that are not UTF-8" in told
    assert "skipped 1 rows without a word" in told


def test_word2vec_reading_stops_after_the_asked_number_of_words(tmp_path):
    content = word2vec_bytes(ROWS, promised=9)
    assert imported(tmp_path, content, max_words=2).words == ["hot", "cold"]
    with pytest.raises(UserError, match="the header promises 9 rows, the file has 3"):
        imported(tmp_path, content)


@settings(max_examples=30, deadline=None)
@given(chunk=st.integers(8, 60), rows=st.lists(st.tuples(st.floats(1, 9, width=32), st.integers(0, 5)), min_size=1))
def test_word2vec_rows_are_the_same_however_the_file_is_cut(tmp_path_factory, chunk, rows):
    tmp_path = tmp_path_factory.mktemp("cut")
    content = word2vec_bytes([(b"w" * length + b"%d" % i, [x, 0.0, -x]) for i, (x, length) in enumerate(rows)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("switchrank.embeddings.read._CHUNK", chunk)
        store = imported(tmp_path, content)
    assert store.words == ["w" * length + str(i) for i, (_, length) in enumerate(rows)]
    np.testing.assert_allclose(store.norms, [x * np.sqrt(2) for x, _ in rows], rtol=1e-6)


def test_fasttext_vectors_of_known_and_unseen_words_are_those_of_fasttext(model, tmp_path):
    told = fasttext.load_model(str(model))
    (tmp_path / "more").write_text("\n".join([*UNSEEN, "hund"]), encoding="utf-8")
    store = imported(tmp_path, model.read_bytes(), extra_words=tmp_path / "more")
    known = told.get_words()
    assert store.words == [*known, *UNSEEN]
    expected = np.array([told.get_word_vector(word) for word in store.words])
    np.testing.assert_allclose(store.matrix * store.norms[:, None], expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    "options", [{"minn": 0, "maxn": 0}, {"minn": 1, "maxn": 4}, {"minn": 2, "maxn": 2, "bucket": 7}, {"model": "cbow"}]
)
def test_fasttext_settings_of_any_kind_give_the_vectors_of_fasttext(tmp_path, options):
    path = trained(tmp_path, **options)
    told = fasttext.load_model(str(path))
    store = imported(tmp_path, path.read_bytes())
    expected = {word: told.get_word_vector(word) for word in told.get_words()}
    assert store.words == [word for word in told.get_words() if expected[word].any()]
    found = store.matrix * store.norms[:, None]
    np.testing.assert_allclose(found, [expected[word] for word in store.words], rtol=1e-4, atol=1e-7)


def test_words_without_any_ngram_have_no_vector_and_are_counted(tmp_path, capsys):
    (tmp_path / "more").write_text("unseen\n", encoding="utf-8")
    path = trained(tmp_path, minn=0, maxn=0)
    assert "unseen" not in imported(tmp_path, path.read_bytes(), extra_words=tmp_path / "more").words
    assert "skipped 1 extra words without a known n-gram" in capsys.readouterr().err


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_packed_models_and_small_blocks_give_the_same_store(model, tmp_path, monkeypatch, pack):
    plain = imported(tmp_path, model.read_bytes())
    words, matrix = list(plain.words), np.array(plain.matrix)
    monkeypatch.setattr(fasttext_binary, "_CHUNK", 70)
    monkeypatch.setattr(fasttext_binary, "_PAIRS", 3)
    monkeypatch.setattr(fasttext_binary, "_WORDS", 2)
    packed = imported(tmp_path, pack(model.read_bytes()))
    assert packed.words == words
    np.testing.assert_allclose(packed.matrix, matrix, atol=1e-6)


def test_the_most_frequent_words_of_a_model_and_a_known_word_beyond_them(model, tmp_path):
    told = fasttext.load_model(str(model))
    known = told.get_words()
    (tmp_path / "more").write_text(f"\n{known[-1]}\n", encoding="utf-8")
    store = imported(tmp_path, model.read_bytes(), max_words=3, extra_words=tmp_path / "more")
    assert store.words == [*known[:3], known[-1]]
    vector = store.matrix[-1] * store.norms[-1]
    np.testing.assert_allclose(vector, told.get_word_vector(known[-1]), rtol=1e-4, atol=1e-7)


def test_extra_words_are_refused_where_the_file_cannot_give_them(tmp_path):
    (tmp_path / "more").write_text("x")
    with pytest.raises(UserError, match="only a fastText binary has vectors for further words"):
        imported(tmp_path, b"a 1 2\n", extra_words=tmp_path / "more")


def test_supervised_models_give_words_and_no_labels(tmp_path):
    (tmp_path / "train.txt").write_text("__label__a one two\n__label__b two three\n" * 5)
    supervised = fasttext.train_supervised(str(tmp_path / "train.txt"), dim=4, thread=1, verbose=0, lr=1.0)
    supervised.save_model(str(tmp_path / "s.bin"))
    assert "__label__a" not in imported(tmp_path, (tmp_path / "s.bin").read_bytes()).words


def test_quantised_models_are_refused(tmp_path):
    (tmp_path / "train.txt").write_text("__label__a one two\n__label__b two three\n" * 200)
    model = fasttext.train_supervised(str(tmp_path / "train.txt"), dim=4, thread=1, verbose=0, bucket=300, wordNgrams=2)
    model.quantize(str(tmp_path / "train.txt"))
    model.save_model(str(tmp_path / "q.ftz"))
    with pytest.raises(UserError, match="a quantised model"):
        imported(tmp_path, (tmp_path / "q.ftz").read_bytes())


def test_an_ngram_has_the_fnv_hash_of_its_signed_bytes():
    """The published test value of 32-bit FNV-1a for ``foobar`` (RFC 9923), and one byte above 127 by hand."""
    words, hashes = ngram_hashes([b"foobar"], 6, 6)
    assert (words.tolist(), hashes.tolist()) == ([0], [0xBF9CF968])
    _, hashes = ngram_hashes([b"<\xc3\xa4>"], 3, 3)
    value = 2166136261
    for byte in (0x3C, 0xFFFFFFC3, 0xFFFFFFA4, 0x3E):
        value = (value ^ byte) * 16777619 % 2**32
    assert hashes.tolist() == [value]


def test_what_a_file_is_shows_in_its_bytes(model, tmp_path):
    kinds = {
        "fasttext": model.read_bytes(),
        "word2vec": word2vec_bytes(ROWS),
        "text": b"2 2\nnew york 1 0\nb 0 1e-3\n",
    }
    for kind, content in kinds.items():
        for pack in (bytes, gzip.compress, lzma.compress, bz2.compress):
            (tmp_path / "anything.vec").write_bytes(pack(content))
            assert vector_kind(tmp_path / "anything.vec") == kind


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"PK\x03\x04rest", "truncated or corrupt zip"),
        (b"<!DOCTYPE html><html>404", "holds a web page"),
        (b"\x80\x04\x95", "a Python pickle, not word vectors"),
        (b"BZh91AY", "truncated or corrupt bzip2"),
    ],
)
def test_other_files_are_told_from_vectors(tmp_path, content, problem):
    with pytest.raises(UserError, match=problem):
        imported(tmp_path, content)


def test_a_broken_off_model_is_refused_wherever_it_ends(model, tmp_path):
    whole = model.read_bytes()
    needed = len(whole) - 8 * 4 * len(fasttext.load_model(str(model)).get_words()) - 17
    for end in [*range(4, 400, 7), needed // 2, needed - 400]:
        with pytest.raises(UserError, match=r"broken off|damaged"):
            imported(tmp_path, whole[:end])
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 399), byte=st.integers(0, 255))
def test_a_changed_byte_in_a_model_gives_rows_or_one_line(model, tmp_path_factory, place, byte):
    content = bytearray(model.read_bytes())
    content[place] = byte
    rows_or_one_line(tmp_path_factory, bytes(content))


def rows_or_one_line(tmp_path_factory, content: bytes) -> None:
    tmp_path = tmp_path_factory.mktemp("fuzz")
    store = None
    told = ""
    try:
        store = imported(tmp_path, content)
    except UserError as error:
        told = str(error)
    if store is None:
        assert told
        assert "\n" not in told
        assert [file.name for file in tmp_path.iterdir()] == ["a"]
    else:
        assert len(store.words) == len(set(store.words)) > 0
        np.testing.assert_allclose(np.linalg.norm(store.matrix, axis=1), 1, rtol=1e-4)
