"""A test set that is written for other tools: what they read is what the tables hold."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switchrank.cli import main
from switchrank.collections.beir import writer
from switchrank.core.errors import UserError
from switchrank.formats.tables import DOCUMENTS, JUDGEMENTS, QUERIES, write_table
from switchrank.sources.build import build_collection
from switchrank.sources.export import export_testset

TEXTS = {
    "d2": 'zwei\nZeilen\t"und" \\ ein Tab',
    "d1": "\u2028 \u0645\u0631\u062d\u0628\u0627 <b> \U0001f600",
    "d3": " 3 ",
}
ASKED = {"q2": 'was, "warum"?', "q1": "wo"}
JUDGED = [("q1", "d1", 2), ("q2", "d3", 1), ("q2", "d1", 0)]


def tables(folder: Path, documents=TEXTS, queries=ASKED, judged=JUDGED) -> Path:
    """A collection of German queries and English documents, as a run keeps it."""
    rows = {
        "documents-en": (DOCUMENTS, [(docid, text, docid) for docid, text in documents.items()]),
        "queries-test-de": (QUERIES, [(qid, text, qid) for qid, text in queries.items()]),
        "judgements-test-en": (JUDGEMENTS, judged),
    }
    for name, (schema, content) in rows.items():
        write_table(pl.DataFrame(content, schema=schema, orient="row"), folder / f"{name}.parquet", schema)
    return folder


@pytest.fixture
def collection(tmp_path):
    return tables(tmp_path / "collection")


def read_back(folder: Path, out: Path) -> Path:
    """The tables that the reader of BEIR makes of a folder."""
    files = {"documents/en": "corpus.jsonl", "queries/test/en": "queries.jsonl", "judgements/test": "qrels/test.tsv"}
    spec = {"format": "beir", "languages": ["en"], "splits": ["test"]}
    build_collection(spec=spec, files={role: str(folder / file) for role, file in files.items()}, out=out)
    return out


def test_beir_is_json_lines_and_a_table_with_a_header(collection, tmp_path, capsys):
    assert (
        main(["sources", "export", str(collection), "--pair", "de-en", "--to", "beir", "--out", str(tmp_path / "b")])
        == 0
    )
    told = capsys.readouterr()
    assert (told.out, told.err) == ("documents 3, queries 2, judgements 3\n", "")
    documents, queries = (
        [json.loads(line) for line in (tmp_path / "b" / name).read_bytes().decode().strip("\n").split("\n")]
        for name in ("corpus.jsonl", "queries.jsonl")
    )
    assert documents == [{"_id": docid, "title": "", "text": text} for docid, text in TEXTS.items()]
    assert queries == [{"_id": qid, "text": text} for qid, text in ASKED.items()]
    lines = (tmp_path / "b/qrels/test.tsv").read_bytes()
    assert lines == b"query-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td3\t1\nq2\td1\t0\n"


TEXT = st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=st.lists(TEXT, min_size=1, max_size=4), query=TEXT, relevance=st.integers(1, 9))
def test_what_is_exported_is_read_back_unchanged(tmp_path_factory, documents, query, relevance):
    folder = tmp_path_factory.mktemp("beir")
    texts = {f"d{number}": text for number, text in enumerate(documents)}
    given = tables(folder / "given", texts, {"q": query}, [("q", "d0", relevance)])
    export_testset(collection=given, pair="de-en", out=folder / "beir")
    again = read_back(folder / "beir", folder / "again")
    columns = {"documents-en": ["docid", "text"], "judgements-test-en": ["qid", "docid", "relevance"]}
    for name, kept in columns.items():
        before, after = (pl.read_parquet(one / f"{name}.parquet", columns=kept) for one in (given, again))
        assert before.equals(after)
    assert pl.read_parquet(again / "queries-test-en.parquet")["text"].to_list() == [query]


def test_documents_of_several_batches_keep_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_BATCH", 3)
    texts = {f"d{number}": f"text {number}" for number in (5, 1, 7, 3, 0, 2, 8)}
    export_testset(
        collection=tables(tmp_path / "given", texts, judged=[("q1", "d0", 1)]), pair="de-en", out=tmp_path / "b"
    )
    lines = (tmp_path / "b/corpus.jsonl").read_text().splitlines()
    assert [json.loads(line)["_id"] for line in lines] == list(texts)


def test_of_a_sample_of_the_queries_only_those_are_written(collection, tmp_path, capsys):
    sample = tables(tmp_path / "sample", judged=[("q2", "d3", 1), ("q9", "d1", 1)]) / "judgements-test-en.parquet"
    counts = export_testset(collection=collection, pair="de-en", judgements=sample, out=tmp_path / "out")
    assert counts == {"documents": 3, "queries": 1, "judgements": 1}
    assert capsys.readouterr().err.splitlines() == [
        f"{sample}: warning: 1 judgements left out: the table of queries lacks their query",
        f"{collection / 'queries-test-de.parquet'}: warning: 1 queries left out: nothing is judged for them",
    ]
    assert (tmp_path / "out/queries.jsonl").read_text() == '{"_id":"q2","text":"was, \\"warum\\"?"}\n'


WRONG = {
    "a document with a space in its id": (
        {"documents": TEXTS | {"d 4": "x"}},
        r"documents-en\.parquet: row 4: id 'd 4': write an id without white space, as TREC files need$",
    ),
    "a query with a tab in its id": (
        {"queries": {"q\t1": "x"}},
        r"queries-test-de\.parquet: row 1: id 'q\\t1': write an id without white space, as TREC files need$",
    ),
    "an empty id": ({"documents": {"": "x"}}, r"documents-en\.parquet: row 1: id '': write an id without white space"),
    "a judged document that is not there": (
        {"judged": [*JUDGED, ("q1", "d9", 1)]},
        r"judgements-test-en\.parquet: document d9: judged, and not in .*documents-en\.parquet: give the judgements of",
    ),
    "judgements of other queries": (
        {"judged": [("q9", "d1", 1)]},
        r"judgements-test-en\.parquet: judges no query of .*queries-test-de\.parquet: give tables of one split$",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_other_tools_could_not_read_is_one_line_and_nothing_is_written(tmp_path, case):
    changed, message = WRONG[case]
    tables(tmp_path / "wrong", **changed)
    with pytest.raises(UserError, match=message):
        export_testset(collection=tmp_path / "wrong", pair="de-en", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--pair", "de-en"], "sources export: --documents --queries --judgements: no table: name the folder of a "),
        ([".", "--pair", "de"], "sources export: --pair: 'de': write the languages of queries and documents, such as "),
        ([".", "--pair", "de-en"], "documents-en.parquet: no such file: "),
    ],
)
def test_tables_that_are_not_named_or_not_there_are_one_line(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["sources", "export", *words, "--out", "out"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(message)
    assert told.count("\n") == 1


def test_a_folder_of_somebody_else_stays(collection, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/notes").touch()
    with pytest.raises(UserError, match="out: holds notes, which switchrank did not write there: name another folder"):
        export_testset(collection=collection, pair="de-en", out=tmp_path / "out")
    export_testset(collection=collection, pair="de-en", out=tmp_path / "out", overwrite=True)
    export_testset(collection=collection, pair="de-en", out=tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["corpus.jsonl", "qrels", "queries.jsonl"]
