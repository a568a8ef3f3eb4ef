"""Instances: positives with hard negatives, or the walk over triples."""

import numpy as np
import polars as pl
import pytest

from switchrank.core.errors import UserError
from switchrank.corpus.instances import Pairing, build_instances
from switchrank.formats.tables import DOCUMENTS, INSTANCES, JUDGEMENTS, QUERIES, TRIPLES, read_table, write_table
from switchrank.formats.vectors import write_vectors

ANIMALS = ["cat", "dog", "bird", "fish", "cow", "pig"]


@pytest.fixture
def build(tmp_path):
    """Builds instances; documents are 'animal number', three of each, the first of an animal answers its query."""

    def build(judgements=None, **options):
        documents = [(f"{animal}{n}", f"{animal} number {n}", animal) for animal in ANIMALS for n in range(3)]
        queries = [(f"q-{animal}", f"which {animal}?", animal) for animal in ANIMALS]
        judgements = judgements or [(f"q-{animal}", f"{animal}0", 1) for animal in ANIMALS]
        triples = options.pop("triples", None)
        tables = {
            "documents": (documents, DOCUMENTS),
            "queries": (queries, QUERIES),
            "judgements": (judgements, JUDGEMENTS),
        }
        if triples:
            tables["triples"] = (triples, TRIPLES)
        for name, (rows, schema) in tables.items():
            write_table(pl.DataFrame(rows, schema=schema, orient="row"), tmp_path / f"{name}.parquet", schema)
        files = {name: tmp_path / f"{name}.parquet" for name in tables}
        about = {name: options.pop(name) for name in ("threads", "vocabulary") if name in options}
        counts = build_instances(**files, out=tmp_path / "out.parquet", pairing=Pairing(**options), **about)
        frame = read_table(tmp_path / "out.parquet", INSTANCES)
        assert frame["instance"].to_list() == list(range(frame.height))
        assert counts["instances"] == frame.height
        return frame.select("qid", "pid", "label").rows(), counts

    return build


def test_each_positive_is_followed_by_the_best_documents_that_are_not_relevant(build):
    rows, counts = build(negatives=2)
    assert rows[0] == ("q-cat", "cat0", 1)
    assert {rows[1], rows[2]} == {("q-cat", "cat1", 0), ("q-cat", "cat2", 0)}
    assert [row[2] for row in rows] == [1, 0, 0] * 6
    assert counts == {"instances": 18, "positives": 6, "short": 0}


def test_a_relevant_document_is_never_a_negative(build):
    judged = [("q-cat", "cat0", 1), ("q-cat", "cat1", 2), ("q-dog", "dog0", 1), ("q-dog", "dog1", 0)]
    rows, _ = build(judged, negatives=5, rounds=20, random_negatives=0.6)
    assert not {("q-cat", "cat0", 0), ("q-cat", "cat1", 0), ("q-dog", "dog0", 0)} & set(rows)
    assert ("q-dog", "dog1", 0) in rows
    assert ("q-dog", "dog1", 1) not in rows


def test_random_documents_fill_up_what_bm25_cannot_give_without_repetition(build):
    rows, _ = build(negatives=6)
    for start in range(0, len(rows), 7):
        documents = [pid for _, pid, _ in rows[start : start + 7]]
        assert len(set(documents)) == 7
        assert {document[:-1] for document in documents[:3]} == {rows[start][1][:-1]}


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 1.0, 1.0), (0.5, 0.5, 0.6), (1.0, 0.05, 0.2)])
def test_a_share_of_the_negatives_is_random(build, share, low, high):
    # A random negative is of the query's own animal, as the hard ones are, about once in eight or more.
    rows, _ = build(negatives=2, random_negatives=share, rounds=40)
    own = [qid.removeprefix("q-") == pid[:-1] for qid, pid, label in rows if not label]
    assert low <= sum(own) / len(own) <= high


def test_hard_negatives_are_drawn_from_the_best_of_the_pool(build):
    narrow, _ = build(negatives=1, pool=1, rounds=20)
    assert {pid for qid, pid, label in narrow if qid == "q-cat" and not label} == {"cat1"}
    wide, _ = build(negatives=1, pool=2, rounds=20)
    assert {pid for qid, pid, label in wide if qid == "q-cat" and not label} == {"cat1", "cat2"}


def test_small_collections_give_fewer_negatives_and_say_so(build, capsys):
    rows, counts = build(negatives=40)
    assert counts["short"] == 6
    assert len(rows) == 6 * 18
    assert len(set(rows)) == len(rows)
    assert "6 positives have fewer than 40 negatives" in capsys.readouterr().err


def test_hard_negatives_of_unspaced_text_share_words_not_characters(tmp_path):
    """Both characters of the query's word, twice each, make the best document of BM25 over characters; it has no word
    of the query, and the longer document that has one is the only hard negative."""
    texts = {"right": "天空是蓝的", "word": "他看着很远很远的天空", "characters": "天天空空"}
    rows = [(name, text, "") for name, text in texts.items()]
    write_table(pl.DataFrame(rows, schema=DOCUMENTS, orient="row"), tmp_path / "documents.parquet", DOCUMENTS)
    query = pl.DataFrame([("q", "天空", "")], schema=QUERIES, orient="row")
    write_table(query, tmp_path / "queries.parquet", QUERIES)
    judged = pl.DataFrame([("q", "right", 1)], schema=JUDGEMENTS, orient="row")
    write_table(judged, tmp_path / "judgements.parquet", JUDGEMENTS)
    write_vectors(tmp_path / "zh", ["天空", "天天", "空空"], np.eye(3, dtype=np.float32))
    files = {name: tmp_path / f"{name}.parquet" for name in ("queries", "documents", "judgements")}
    for vocabulary, negative in ((None, "characters"), (tmp_path / "zh", "word")):
        pairing = Pairing(negatives=1, pool=1)
        build_instances(**files, pairing=pairing, vocabulary=vocabulary, out=tmp_path / "out.parquet")
        assert read_table(tmp_path / "out.parquet", INSTANCES)["pid"].to_list() == ["right", negative]


def test_every_round_draws_afresh_and_the_first_stays_the_same(build):
    once, _ = build(negatives=1, random_negatives=1.0)
    thrice, _ = build(negatives=1, random_negatives=1.0, rounds=3)
    assert thrice[:12] == once
    assert thrice[12:24] != once
    assert [row for row in thrice if row[2]] == [row for row in once if row[2]] * 3


def test_the_seed_decides_the_draws_and_threads_do_not(build, tmp_path):
    first, _ = build(negatives=3)
    content = (tmp_path / "out.parquet").read_bytes()
    build(negatives=3, threads=3)
    assert (tmp_path / "out.parquet").read_bytes() == content
    assert build(negatives=3, seed=2)[0] != first


def test_positives_follow_the_order_of_the_queries(build):
    judged = [(f"q-{animal}", f"{animal}{n}", 1) for n in (1, 0) for animal in reversed(ANIMALS)]
    positives = [row[:2] for row in build(judged)[0] if row[2]]
    assert positives == [(f"q-{animal}", f"{animal}{n}") for animal in ANIMALS for n in (1, 0)]


def test_triples_are_walked_with_a_counter(build):
    triples = [("q-cat", "cat0", f"{animal}{n}") for animal in ("dog", "bird") for n in range(3)]
    rows, counts = build(triples=triples)
    assert rows == [
        ("q-cat", "cat0", 1),
        ("q-cat", "dog1", 0),
        ("q-cat", "dog2", 0),
        ("q-cat", "bird0", 0),
        ("q-cat", "bird1", 0),
        ("q-cat", "cat0", 1),
    ]
    assert counts["positives"] == 2
    assert build(triples=triples, negatives=1, limit=3)[0] == [rows[0], rows[1], rows[0]]


def test_triples_of_other_splits_or_with_relevant_negatives_are_not_counted(build, capsys):
    triples = [
        ("q-gone", "cat0", "dog0"),
        ("q-cat", "cat0", "gone"),
        ("q-cat", "cat0", "cat0"),
        ("q-cat", "cat0", "dog0"),
    ]
    assert build(triples=triples)[0] == [("q-cat", "cat0", 1)]
    assert "3 of 4 triples passed over" in capsys.readouterr().err


def test_judgements_of_unknown_ids_are_told(build, capsys):
    rows, _ = build([("q-cat", "cat0", 1), ("q-none", "cat0", 1), ("q-dog", "none", 1)])
    assert {row[0] for row in rows} == {"q-cat"}
    assert "2 of 3 judgements passed over" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"negatives": 0}, "negatives"),
        ({"rounds": 0}, "rounds"),
        ({"random_negatives": 1.5}, "random_negatives"),
        ({"judgements": [("q-none", "cat0", 1)]}, "no instance is left"),
        ({"judgements": [("q-cat", "cat0", 0)]}, "no instance is left"),
        ({"triples": [("q-none", "cat0", "dog0")]}, "no instance is left"),
    ],
)
def test_what_cannot_be_built_is_an_error_and_leaves_nothing(build, tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        build(**options)
    assert not (tmp_path / "out.parquet").exists()
