"""A collection without the questions of another: they go with what answers them, whole, and nothing else does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.collections.spec import CollectionSpec
from switchrank.core.errors import UserError
from switchrank.formats.tables import QUERIES, write_table
from switchrank.sources.build import build_collection


def asked(path: Path, *qids: str) -> str:
    """A table of queries of another collection."""
    write_table(pl.DataFrame([(qid, "?", "") for qid in qids], schema=QUERIES, orient="row"), path, QUERIES)
    return str(path)


def build(spec: dict[str, Any], files: dict[str, str], out: Path, *qids: str) -> dict[str, pl.DataFrame]:
    """The tables of a collection that is left without these questions, by name."""
    other = {"excluded/queries-test-en": asked(out.parent / f"{out.name}.parquet", *qids)} if qids else {}
    spec = spec | ({"excluding": "other"} if qids else {})
    build_collection(spec=spec, files=files | other, out=out)
    assert sorted(path.name for path in out.glob("[!.]*")) == sorted(CollectionSpec.from_plain(spec).outputs())
    return {path.stem: pl.read_parquet(path) for path in out.glob("*.parquet")}


def paragraph(number: int, *qids: str) -> dict[str, Any]:
    """Two sentences; the first question is answered by the second one, all others by the first."""
    first, second = f"Mill {number} burned.", f"It stood {number} years."
    starts = [len(first) + 1, *[0] * (len(qids) - 1)]
    questions = [
        {"id": qid, "question": f"{qid}?", "answers": [{"answer_start": start, "text": "It" if start else "Mill"}]}
        for qid, start in zip(qids, starts, strict=True)
    ]
    return {"context": f"{first} {second}", "qas": questions}


@pytest.fixture
def squad(write) -> str:
    """Three paragraphs of two articles."""
    articles = {"Mills": [paragraph(0, "a", "b"), paragraph(1, "c")], "Boats": [paragraph(2, "d", "e")]}
    data = [{"title": title, "paragraphs": paragraphs} for title, paragraphs in articles.items()]
    return str(write("squad.json", {"data": data}))


SQUAD = {"format": "squad", "languages": ["en"], "splits": ["train"]}
SENTENCES = SQUAD | {"documents_as": "sentences"}


def test_of_a_paragraph_of_which_one_question_goes_nothing_is_left(squad, tmp_path, capfd) -> None:
    tables = build(SENTENCES, {"train/en": squad}, tmp_path / "out", "a", "unknown")

    assert tables["documents-en"]["docid"].to_list() == ["train-0-1-0", "train-0-1-1", "train-1-0-0", "train-1-0-1"]
    assert tables["queries-train-en"]["qid"].to_list() == ["c", "d", "e"]
    assert tables["judgements-train-en"]["qid"].to_list() == ["c", "d", "e"]
    told = capfd.readouterr().err
    assert "warning: 1 questions left out: other has them; with them go documents: 2 in en\n" in told
    assert "warning: 1 queries left out: they have no relevant document\n" in told  # b, about the same paragraph


def test_what_is_left_is_as_if_the_paragraphs_had_never_been_there(squad, tmp_path) -> None:
    for spec, documents in ((SQUAD, 1), (SENTENCES, 2)):
        whole = build(spec, {"train/en": squad}, tmp_path / f"whole-{documents}")
        left = build(spec, {"train/en": squad}, tmp_path / f"left-{documents}", "a", "c")
        for name, table in left.items():
            kept = pl.col("docid" if "docid" in table.columns else "qid").str.contains("^(train-1|d|e)")
            assert table.equals(whole[name].filter(kept))
        record = json.loads((tmp_path / f"left-{documents}/excluded.json").read_text())
        assert record == {"questions_of": "other", "questions": 2, "documents": {"en": 2 * documents}}


def test_parallel_documents_go_in_every_language_and_from_the_triples(tiny_msmarco, msmarco_spec, tmp_path) -> None:
    tables = build(msmarco_spec | {"dev": 0.0}, tiny_msmarco, tmp_path / "out", "q1", "t0")

    left = ["d2", "d3", "d4", "d5", "d6", "d7"]  # d1 answers q1, and d0 answers t0 of the test split
    assert tables["documents-en"]["docid"].to_list() == tables["documents-qaa"]["docid"].to_list() == left
    assert tables["queries-train-en"]["qid"].to_list() == ["q2", "q3", "q4", "q5", "q6", "q7"]
    assert tables["queries-test-qaa"]["qid"].to_list() == ["t1"]
    assert tables["triples-train"].rows() == [(f"q{n}", f"d{n}", f"d{n + 1}") for n in range(2, 7)]  # q7 against d0


def test_documents_with_ids_of_their_own_go_where_they_answer(write, tmp_path) -> None:
    def file(language: str, *paragraphs: dict[str, Any]) -> str:
        return str(write(f"{language}.json", {"data": [{"title": "Mills", "paragraphs": list(paragraphs)}]}))

    files = {
        "test/en": file("en", paragraph(0, "a"), paragraph(1, "b")),
        "test/qaa": file("qaa", paragraph(5, "b"), paragraph(6, "a")),
    }
    spec = {"format": "squad", "languages": ["en", "qaa"], "splits": ["test"], "options": {"parallel": False}}
    tables = build(spec, files, tmp_path / "out", "a")

    texts = {language: tables[f"documents-{language}"]["text"].to_list() for language in ("en", "qaa")}
    assert texts == {"en": ["Mill 1 burned. It stood 1 years."], "qaa": ["Mill 5 burned. It stood 5 years."]}


@pytest.mark.parametrize(
    ("qids", "told"),
    [
        (["x"], "no question here has the id of one of other, and nothing would be left out: name the collection that"),
        (["a", "b", "c", "d", "e"], "all train questions in en are questions of other: name another collection"),
        (["a", "c", "d"], "all documents in en answer questions of other: name another collection"),
    ],
)
def test_leaving_out_nothing_or_everything_is_one_line(qids, told, squad, tmp_path) -> None:
    with pytest.raises(UserError) as caught:
        build(SENTENCES, {"train/en": squad}, tmp_path / "out", *qids)
    assert str(caught.value).startswith(f"collection: exclude.questions_of: {told}")
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("change", [{"excluding": "other"}, {}])
def test_a_name_without_tables_and_tables_without_a_name_are_one_line(change, squad, tmp_path) -> None:
    other = {} if change else {"excluded/queries-test-en": asked(tmp_path / "other.parquet", "a")}
    with pytest.raises(UserError, match="excluding: either a name or tables are missing: name the collection"):
        build_collection(spec=SQUAD | change, files={"train/en": squad} | other, out=tmp_path / "out")


@given(st.sets(st.sampled_from("abcde"), min_size=1), st.booleans())
def test_no_question_and_no_answer_of_the_other_is_left(tmp_path_factory, qids, sentences) -> None:
    folder = tmp_path_factory.mktemp("law")
    articles = [[paragraph(0, "a", "b"), paragraph(1, "c")], [paragraph(2, "d", "e")], [paragraph(3, "f")]]
    data = [{"title": f"{number}", "paragraphs": paragraphs} for number, paragraphs in enumerate(articles)]
    (folder / "squad.json").write_text(json.dumps({"data": data}))
    tables = build(SENTENCES if sentences else SQUAD, {"train/en": str(folder / "squad.json")}, folder / "out", *qids)
    homes = {"a": "0", "b": "0", "c": "1", "d": "2", "e": "2", "f": "3"}
    gone = {homes[qid] for qid in qids}
    assert set(tables["queries-train-en"]["qid"]) == {qid for qid, home in homes.items() if home not in gone}
    assert {text.split()[1 if text.startswith("Mill") else 2] for text in tables["documents-en"]["text"]} == (
        {*homes.values()} - gone
    )
