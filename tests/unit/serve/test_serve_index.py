"""An index is made once, from a file of any size, and never used for another encoder or for other documents."""

from __future__ import annotations

import gzip
import re
import shutil

import numpy as np
import polars as pl
import pytest
from served import TEXTS, make_encoder, write_docs

from switchrank.core.errors import UserError
from switchrank.models.dual_encoder import DualEncoder
from switchrank.serve import index as module
from switchrank.serve.index import Index, open_index


@pytest.fixture(scope="module")
def encoder(encoder_folder):
    return DualEncoder.open(encoder_folder)


@pytest.fixture
def docs(tmp_path):
    return write_docs(tmp_path / "docs.tsv")


@pytest.fixture
def encoded(encoder, monkeypatch):
    """The texts that are encoded, part by part."""
    parts, encode = [], encoder.encode
    monkeypatch.setattr(encoder, "encode", lambda texts, kind: parts.append(texts) or encode(texts, kind))
    return parts


def rows_of(index: Index) -> dict[str, str]:
    return dict(index.texts.rows(range(len(index.texts))))


def test_an_index_holds_every_text_and_its_vector_and_is_made_once(docs, encoder, encoded):
    made = open_index(docs, encoder)
    assert rows_of(made) == TEXTS
    np.testing.assert_array_equal(made.vectors, encoder.encode(list(TEXTS.values()), "document"))
    assert isinstance(made.vectors, np.memmap)
    folder = docs.with_name("docs.tsv.index")
    assert {file.name for file in folder.iterdir()} == {*map(str, (module.RECORD, module.TEXTS, module.VECTORS))} | {
        ".switchrank.json"
    }
    encoded.clear()
    docs.touch()
    again = open_index(docs, encoder)
    assert encoded == []
    np.testing.assert_array_equal(again.vectors, made.vectors)


@pytest.fixture
def small(monkeypatch):
    """Row groups of two texts, two of them a part."""
    monkeypatch.setattr(module, "_ROWS", 2)
    monkeypatch.setattr(module, "_GROUPS", 2)


@pytest.mark.usefixtures("small")
def test_texts_are_read_and_encoded_in_parts(docs, encoder, encoded):
    texts = {**TEXTS, "last": "one more"}
    index = open_index(write_docs(docs, texts), encoder)
    assert [len(part) for part in encoded] == [4, 4, 1]
    assert [docid for docid, _ in index.texts.rows([8, 0, 3, 8])] == ["last", "en-1", "de-2", "last"]
    np.testing.assert_allclose(index.vectors, encoder.encode(list(texts.values()), "document"), atol=1e-6)


@pytest.mark.usefixtures("small")
def test_what_was_encoded_when_a_process_was_killed_is_not_encoded_again(docs, encoder, encoded, monkeypatch):
    whole = open_index(docs, encoder, folder=docs.parent / "whole")
    encoded.clear()
    encode = encoder.encode

    def killed(texts, kind):
        if encoded:
            raise KeyboardInterrupt
        return encode(texts, kind)

    monkeypatch.setattr(encoder, "encode", killed)
    with pytest.raises(KeyboardInterrupt):
        open_index(docs, encoder)
    assert not docs.with_name("docs.tsv.index").exists()
    monkeypatch.setattr(encoder, "encode", encode)
    encoded.clear()
    again = open_index(docs, encoder)
    assert [len(part) for part in encoded] == [4]
    np.testing.assert_array_equal(again.vectors, whole.vectors)
    assert [path.name for path in docs.parent.iterdir() if path.name.startswith(".")] == []


def test_another_encoder_needs_another_index(docs, encoder, bert_folder, tmp_path):
    open_index(docs, encoder)
    other = DualEncoder.open(make_encoder(tmp_path / "other", bert_folder, seed=4))
    message = rf"^{re.escape(str(docs))}\.index: made by another encoder: give the encoder .*--index; --overwrite makes"
    with pytest.raises(UserError, match=message):
        open_index(docs, other)
    index = open_index(docs, other, overwrite=True)
    np.testing.assert_array_equal(index.vectors, other.encode(list(TEXTS.values()), "document"))
    with pytest.raises(UserError, match="made by another encoder"):
        open_index(docs, encoder)


def test_an_encoder_is_the_same_wherever_it_lies_and_another_when_it_makes_other_vectors(
    docs, encoder, encoder_folder, tmp_path
):
    open_index(docs, encoder)
    copy = shutil.copytree(encoder_folder, tmp_path / "copy")
    open_index(docs, DualEncoder.open(copy))
    for changed in ({"pooling": "cls"}, {"prompts": {"document": "passage: "}}, {"lengths": {"document": 9}}):
        with pytest.raises(UserError, match="made by another encoder"):
            open_index(docs, DualEncoder.open(copy, **changed))


def test_documents_that_change_under_an_index_are_told(docs, encoder):
    open_index(docs, encoder)
    write_docs(docs, TEXTS | {"en-1": "the red fox sleeps"})
    with pytest.raises(UserError, match=rf"index: made of other documents: {re.escape(str(docs))} has changed since"):
        open_index(docs, encoder)
    assert rows_of(open_index(docs, encoder, overwrite=True))["en-1"] == "the red fox sleeps"


def test_documents_that_change_while_they_are_read_make_no_index(docs, encoder, monkeypatch):
    write = module._write_texts
    monkeypatch.setattr(module, "_write_texts", lambda *given: (write(*given), docs.write_text("d1\tnew\n")))
    with pytest.raises(UserError, match=r"docs\.tsv: changed while it was read: start again"):
        open_index(docs, encoder)
    assert not docs.with_name("docs.tsv.index").exists()


def test_a_folder_that_holds_other_things_is_left_alone(docs, encoder, tmp_path, encoded):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("Dear")
    with pytest.raises(UserError, match=r"mine: holds letter\.txt, which switchrank did not write there"):
        open_index(docs, encoder, folder=tmp_path / "mine")
    assert encoded == []
    assert (tmp_path / "mine" / "letter.txt").read_text() == "Dear"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("index.json", b"{", r"index\.json: damaged .*: --overwrite makes it anew"),
        ("index.json", b'{"version": 1}', r"index\.json: damaged \('encoder'\)"),
        ("vectors.npy", b"", r"vectors\.npy: damaged"),
        ("vectors.npy", "short", r"vectors\.npy: damaged"),
        ("vectors.npy", "fewer", r"vectors\.npy: \(7, 32\) and 8 texts where index\.json says \(8, 32\)"),
        ("documents.parquet", b"PAR1", r"documents\.parquet: not a readable parquet table"),
    ],
)
def test_a_damaged_index_is_told(docs, encoder, name, content, message):
    made = open_index(docs, encoder)
    file = docs.with_name("docs.tsv.index") / name
    if content == "fewer":
        np.save(file, np.array(made.vectors[:7]))
    else:
        file.write_bytes(file.read_bytes()[:-9] if content == "short" else content)
    with pytest.raises(UserError, match=message):
        open_index(docs, encoder)


def test_an_index_of_another_version_is_made_anew_only_when_it_is_asked_for(docs, encoder, monkeypatch):
    open_index(docs, encoder)
    monkeypatch.setattr(module, "VERSION", 2)
    with pytest.raises(UserError, match="an index of version 1, not 2: --overwrite makes it anew"):
        open_index(docs, encoder)
    open_index(docs, encoder, overwrite=True)
    open_index(docs, encoder)


@pytest.mark.parametrize("same_hash", [False, True])
def test_an_id_that_comes_twice_is_named_whatever_its_hash(tmp_path, encoder, monkeypatch, same_hash):
    if same_hash:
        monkeypatch.setattr(module, "_hash", lambda _: 7)
    (tmp_path / "d.tsv").write_text("a\tone\nb\ttwo\nc\tthree\nb\tfour\na\tfive\n")
    with pytest.raises(UserError, match=r"d\.tsv: id b: the id of documents 2 and 4: give every text an id of its own"):
        open_index(tmp_path / "d.tsv", encoder)
    (tmp_path / "d.tsv").write_text("a\tone\nb\ttwo\n")
    assert rows_of(open_index(tmp_path / "d.tsv", encoder)) == {"a": "one", "b": "two"}


def test_documents_may_be_packed_or_a_table(tmp_path, encoder):
    plain = open_index(write_docs(tmp_path / "d.tsv"), encoder)
    (tmp_path / "d.tsv.gz").write_bytes(gzip.compress((tmp_path / "d.tsv").read_bytes()))
    frame = pl.DataFrame({"text": list(TEXTS.values()), "group": "x", "docid": list(TEXTS)})
    frame.with_columns(pl.col("text").replace({"": None})).write_parquet(tmp_path / "d.parquet")
    for name in ("d.tsv.gz", "d.parquet"):
        index = open_index(tmp_path / name, encoder)
        assert rows_of(index) == TEXTS
        np.testing.assert_array_equal(index.vectors, plain.vectors)
    pl.DataFrame({"pid": [3, 1], "text": ["x", "y"]}).write_parquet(tmp_path / "n.parquet")
    assert rows_of(open_index(tmp_path / "n.parquet", encoder)) == {"3": "x", "1": "y"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("d.tsv", None, "d.tsv: no such file: correct the path"),
        ("d.tsv", b"", "d.tsv: empty: give at least one"),
        ("d.tsv", b"d1\tone\nd2 two\n", "d.tsv: line 2: no id and text"),
        ("d.tsv", b"id\ttext\nd2\ttwo\n", r"d.tsv: line 1: a header \(id, text\) where data begins"),
        ("d.tsv", b"d1\tk\xe4se\n", "d.tsv: line 1: not UTF-8"),
        ("d.parquet", b"PAR1", "d.parquet: not a readable table"),
        ("d.parquet", {"docid": ["a"]}, "d.parquet: columns: found docid: name them"),
        ("d.parquet", {"docid": ["a", None], "text": ["x", "y"]}, "d.parquet: docid: a row without an id"),
        ("d.parquet", {"docid": [], "text": []}, "d.parquet: empty"),
    ],
)
def test_documents_that_cannot_be_used_leave_nothing_behind(tmp_path, encoder, name, content, message):
    if isinstance(content, dict):
        pl.DataFrame(content, schema_overrides=dict.fromkeys(content, pl.String)).write_parquet(tmp_path / name)
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        open_index(tmp_path / name, encoder)
    assert {path.name for path in tmp_path.iterdir()} <= {name}
