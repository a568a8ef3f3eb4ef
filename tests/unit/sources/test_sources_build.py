"""A collection is written whole: judged queries, parallel judgements, a development cut; bad input leaves nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from switchrank.collections.spec import CollectionSpec
from switchrank.core.errors import UserError
from switchrank.formats.tables import DOCUMENTS, JUDGEMENTS, QUERIES, TRIPLES, read_table
from switchrank.sources.build import build_collection

SCHEMAS = {"documents": DOCUMENTS, "queries": QUERIES, "judgements": JUDGEMENTS, "triples": TRIPLES}


def build(spec: dict[str, Any], files: dict[str, str], out: Path) -> dict[str, pl.DataFrame]:
    """Build, check names and schemas, and give the tables by name without suffix."""
    build_collection(spec=spec, files=files, out=out)
    assert sorted(path.name for path in out.glob("[!.]*")) == sorted(CollectionSpec.from_plain(spec).outputs())
    names = [name.removesuffix(".parquet") for name in CollectionSpec.from_plain(spec).outputs()]
    return {name: read_table(out / f"{name}.parquet", SCHEMAS[name.partition("-")[0]]) for name in names}


def test_the_outputs_are_known_from_the_specification(msmarco_spec) -> None:
    assert CollectionSpec.from_plain(msmarco_spec).outputs() == [
        "documents-en.parquet",
        "documents-qaa.parquet",
        "queries-train-en.parquet",
        "judgements-train-en.parquet",
        "queries-dev-en.parquet",
        "judgements-dev-en.parquet",
        "queries-test-en.parquet",
        "queries-test-qaa.parquet",
        "judgements-test-en.parquet",
        "judgements-test-qaa.parquet",
        "triples-train.parquet",
    ]
    assert CollectionSpec.from_plain({"format": "squad", "languages": ["en"], "splits": ["train"]}).outputs() == [
        "documents-en.parquet",
        "queries-train-en.parquet",
        "judgements-train-en.parquet",
    ]


def test_a_collection_is_documents_queries_and_judgements(tiny_msmarco, msmarco_spec, tmp_path) -> None:
    tables = build(msmarco_spec, tiny_msmarco, tmp_path / "world")

    assert tables["documents-qaa"].row(3) == ("d3", "gasappe 3", "topic 1")
    assert tables["queries-test-qaa"].rows() == [("t0", "ksa 0", "topic 0"), ("t1", "ksa 1", "topic 3")]
    assert tables["judgements-test-qaa"].rows() == [("t0", "d0", 1), ("t1", "d7", 1)]
    assert tables["judgements-test-qaa"].equals(tables["judgements-test-en"])


def test_no_topic_has_queries_in_both_training_and_development(tiny_msmarco, msmarco_spec, tmp_path) -> None:
    tables = build(msmarco_spec, tiny_msmarco, tmp_path / "world")
    train, dev = tables["queries-train-en"], tables["queries-dev-en"]

    assert (len(train), len(dev)) == (6, 2)
    assert not set(train["group"]) & set(dev["group"])
    for split in ("train", "dev"):
        assert tables[f"judgements-{split}-en"]["qid"].to_list() == tables[f"queries-{split}-en"]["qid"].to_list()
    assert tables["triples-train"]["qid"].to_list() == train["qid"].to_list()


def test_labelled_examples_are_whole_topics_of_neither_training_nor_development(
    tiny_msmarco, msmarco_spec, tmp_path
) -> None:
    before = build(msmarco_spec, tiny_msmarco, tmp_path / "before")
    tables = build(msmarco_spec | {"labels": 0.2}, tiny_msmarco, tmp_path / "world")
    groups = {split: set(tables[f"queries-{split}-en"]["group"]) for split in ("train", "dev", "labels")}

    assert [len(tables[f"queries-{split}-en"]) for split in groups] == [4, 2, 2]
    assert len(set.union(*groups.values())) == sum(map(len, groups.values()))
    assert tables["queries-dev-en"].equals(before["queries-dev-en"])
    assert tables["judgements-labels-en"]["qid"].to_list() == tables["queries-labels-en"]["qid"].to_list()
    positives = {split: set(tables[f"judgements-{split}-en"]["docid"]) for split in groups}
    assert not positives["labels"] & (positives["train"] | positives["dev"])
    assert tables["triples-train"]["qid"].to_list() == tables["queries-train-en"]["qid"].to_list()
    assert tables["documents-en"].equals(before["documents-en"])


def test_without_topics_queries_of_one_passage_stay_together(tiny_msmarco, msmarco_spec, tmp_path, write) -> None:
    del tiny_msmarco["groups"]
    tiny_msmarco["judgements/train"] = write("r.tsv", "".join(f"q{n} 0 d{n // 4} 1\n" for n in range(8)))
    tables = build(msmarco_spec, tiny_msmarco, tmp_path / "world")

    assert tables["documents-en"]["group"].to_list() == [f"d{n}" for n in range(8)]
    sides = [sorted(tables[f"queries-{split}-en"]["qid"]) for split in ("dev", "train")]
    assert sorted(sides) == [["q0", "q1", "q2", "q3"], ["q4", "q5", "q6", "q7"]]
    assert set(tables["queries-train-en"]["group"]) < {"d0", "d1"}


def test_equal_input_gives_equal_bytes(tiny_msmarco, msmarco_spec, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("switchrank.collections.separate.BATCH", 3)
    for name in ("one", "two"):
        build(msmarco_spec, tiny_msmarco, tmp_path / name)

    for name in CollectionSpec.from_plain(msmarco_spec).outputs():
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_an_older_collection_is_replaced_whole(tiny_msmarco, msmarco_spec, tmp_path) -> None:
    build(msmarco_spec, tiny_msmarco, tmp_path / "world")
    build(msmarco_spec | {"dev": 0}, tiny_msmarco, tmp_path / "world")


def test_a_folder_with_other_things_is_not_replaced(tiny_msmarco, msmarco_spec, tmp_path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match=r"home: holds thesis\.tex, which switchrank did not write there"):
        build_collection(spec=msmarco_spec, files=tiny_msmarco, out=tmp_path / "home")

    assert (tmp_path / "home" / "thesis.tex").read_text() == "years of work"


def test_a_missing_input_file_is_named_by_path_and_role(tiny_msmarco, msmarco_spec, tmp_path) -> None:
    Path(tiny_msmarco["documents/qaa"]).unlink()

    with pytest.raises(UserError, match=r"c\.qaa\.tsv: documents/qaa: no such file"):
        build_collection(spec=msmarco_spec, files=tiny_msmarco, out=tmp_path / "world")


def test_a_defect_found_late_leaves_nothing_behind(tiny_msmarco, msmarco_spec, tmp_path, write) -> None:
    tiny_msmarco["triples/train"] = write("t.tsv", "q0\td0\td1\nq1\td1\n")
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(UserError, match=r"t\.tsv: line 2: 2 fields"):
        build_collection(spec=msmarco_spec, files=tiny_msmarco, out=tmp_path / "world")

    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_truncated_documents_stop_the_build(tiny_msmarco, msmarco_spec, tmp_path, write) -> None:
    path = Path(write("c.tsv.gz", "".join(f"d{n}\tpassage {n * n}\n" for n in range(500))))
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(UserError, match=r"c\.tsv\.gz: truncated or corrupt gzip"):
        build_collection(spec=msmarco_spec, files=tiny_msmarco | {"documents/en": str(path)}, out=tmp_path / "world")
    assert not (tmp_path / "world").exists()


def test_two_documents_with_one_id_are_named_by_their_lines(tiny_msmarco, msmarco_spec, tmp_path, write) -> None:
    tiny_msmarco["documents/en"] = write("c.tsv", "d0\tone\nd1\ttwo\nd0\tthree\n")

    with pytest.raises(UserError, match=r"c\.tsv: lines 1 and 3: document id d0 twice: keep one"):
        build_collection(spec=msmarco_spec, files=tiny_msmarco, out=tmp_path / "world")


def test_an_empty_passage_goes_with_its_judgements_and_triples(
    tiny_msmarco, msmarco_spec, tmp_path, write, capsys
) -> None:
    passages = [f"d{n}\tpassage {n}\n" for n in range(8)]
    passages[2] = "d2\t \n"
    tiny_msmarco["documents/en"] = write("c.tsv", "".join(passages))
    tables = build(msmarco_spec | {"dev": 0}, tiny_msmarco, tmp_path / "world")
    messages = capsys.readouterr().err

    assert "d2" not in tables["documents-en"]["docid"]
    assert "d2" in tables["documents-qaa"]["docid"]
    assert "q2" not in tables["queries-train-en"]["qid"]
    assert tables["triples-train"]["qid"].to_list() == ["q0", "q3", "q4", "q5", "q6", "q7"]
    assert "1 empty documents left out, the first in line 3" in messages
    assert "1 judgements left out: their document is empty in en" in messages
    assert "1 queries left out: they have no relevant document" in messages
    assert "2 triples left out: a document is empty" in messages


def test_judgements_are_restricted_to_the_documents_of_each_language(
    tiny_msmarco, msmarco_spec, tmp_path, write, capsys
) -> None:
    tiny_msmarco["documents/qaa"] = write("c.qaa.tsv", "".join(f"d{n}\tgasappe\n" for n in range(7)))
    tables = build(msmarco_spec, tiny_msmarco, tmp_path / "world")

    assert tables["judgements-test-en"]["docid"].to_list() == ["d0", "d7"]
    assert tables["judgements-test-qaa"]["docid"].to_list() == ["d0"]
    assert tables["queries-test-qaa"]["qid"].to_list() == ["t0", "t1"]
    assert "1 judgements left out: their document is not in qaa" in capsys.readouterr().err


def test_queries_without_a_relevant_document_are_left_out_and_counted(
    tiny_msmarco, msmarco_spec, tmp_path, write, capsys
) -> None:
    tiny_msmarco["judgements/test"] = write("r.tsv", "t0 0 d0 0\nt1 0 d7 2\nt1 0 d0 0\n")
    tables = build(msmarco_spec, tiny_msmarco, tmp_path / "world")

    assert tables["queries-test-qaa"]["qid"].to_list() == ["t1"]
    assert tables["judgements-test-qaa"].rows() == [("t1", "d7", 2), ("t1", "d0", 0)]
    assert "queries test qaa: warning: 1 queries left out: they have no relevant document" in capsys.readouterr().err


def test_judgements_of_queries_elsewhere_are_left_out_and_counted(
    tiny_msmarco, msmarco_spec, tmp_path, write, capsys
) -> None:
    tiny_msmarco["judgements/test"] = write("r.tsv", "t0 0 d0 1\nelsewhere 0 d99 1\nt1 0 d7 1\n")
    tables = build(msmarco_spec, tiny_msmarco, tmp_path / "world")

    assert tables["judgements-test-en"]["qid"].to_list() == ["t0", "t1"]
    assert "1 judgements left out: no query file holds their query" in capsys.readouterr().err


def test_judgements_of_another_split_are_an_error(tiny_msmarco, msmarco_spec, tmp_path) -> None:
    tiny_msmarco["judgements/test"] = tiny_msmarco["judgements/train"]

    with pytest.raises(UserError, match="judges none of the queries: give queries and judgements of the same split"):
        build_collection(spec=msmarco_spec, files=tiny_msmarco, out=tmp_path / "world")


STALE = {
    "judgements": ("judgements/test", "r.tsv", "t0 0 d0 1\nt1 0 d99 1\nt1 0 d7 1\nt0 0 d1 0\n"),
    "triples": ("triples/train", "t.tsv", "q0 d0 d1\nq1 d1 d99\nq2 d2 d3\nq3 d3 d4\n"),
}
"""Four rows, one of which names a document that no file holds."""


@pytest.mark.parametrize("kind", STALE)
def test_a_row_of_an_unknown_document_is_left_out_and_counted(
    tiny_msmarco, msmarco_spec, tmp_path, write, capsys, kind
) -> None:
    role, name, rows = STALE[kind]
    tiny_msmarco[role] = write(name, rows)
    tables = build(msmarco_spec | {"max_skipped": 0.25, "dev": 0}, tiny_msmarco, tmp_path / "world")

    written = {"judgements": tables["judgements-test-en"], "triples": tables["triples-train"]}[kind]
    assert (
        written.rows()
        == {
            "judgements": [("t0", "d0", 1), ("t1", "d7", 1), ("t0", "d1", 0)],
            "triples": [("q0", "d0", "d1"), ("q2", "d2", "d3"), ("q3", "d3", "d4")],
        }[kind]
    )
    told = [line for line in capsys.readouterr().err.splitlines() if name in line]
    first = ", the first d99 in line 2" if kind == "judgements" else ""
    where = "their document is in no document file" if kind == "judgements" else "a document is in no document file"
    assert told == [f"{tiny_msmarco[role]}: warning: 1 {kind} left out: {where}{first}"]


@pytest.mark.parametrize("kind", STALE)
def test_more_rows_of_unknown_documents_than_max_skipped_allows_stop_the_run(
    tiny_msmarco, msmarco_spec, tmp_path, write, kind
) -> None:
    role, name, rows = STALE[kind]
    tiny_msmarco[role] = write(name, rows)

    with pytest.raises(
        UserError, match=rf"1 of 4 rows: {kind} left out: .* in no document file.* above max_skipped 0\.2"
    ):
        build_collection(spec=msmarco_spec | {"max_skipped": 0.2}, files=tiny_msmarco, out=tmp_path / "world")
    assert not (tmp_path / "world").exists()


def test_judgements_without_any_relevant_document_are_an_error(tiny_msmarco, msmarco_spec, tmp_path, write) -> None:
    tiny_msmarco["judgements/test"] = write("r.tsv", "t0 0 d0 0\nt1 0 d7 0\n")

    with pytest.raises(UserError, match="no test query in en has a relevant document"):
        build_collection(spec=msmarco_spec, files=tiny_msmarco, out=tmp_path / "world")


def test_a_query_that_a_language_lacks_is_counted(tiny_msmarco, msmarco_spec, tmp_path, write, capsys) -> None:
    tiny_msmarco["queries/test/qaa"] = write("q.qaa.tsv", "t0\tksa 0\n")
    tables = build(msmarco_spec, tiny_msmarco, tmp_path / "world")

    assert tables["queries-test-en"]["qid"].to_list() == ["t0", "t1"]
    assert "queries test: warning: 1 queries are not in all languages" in capsys.readouterr().err


def test_documents_without_a_topic_are_groups_of_their_own(tiny_msmarco, msmarco_spec, tmp_path, write, capsys) -> None:
    tiny_msmarco["groups"] = write("g.tsv", "d0\tone topic\nd1\tone topic\nd77\tnot here\n")
    tables = build(msmarco_spec, tiny_msmarco, tmp_path / "world")

    assert tables["documents-en"]["group"].to_list() == ["one topic", "one topic", *(f"d{n}" for n in range(2, 8))]
    assert "6 documents without a topic" in capsys.readouterr().err


def test_triples_of_unknown_queries_are_left_out_and_counted(
    tiny_msmarco, msmarco_spec, tmp_path, write, capsys
) -> None:
    tiny_msmarco["triples/train"] = write("t.tsv", "".join(f"q{n} d{n % 8} d0\n" for n in range(12)))
    tables = build(msmarco_spec, tiny_msmarco, tmp_path / "world")

    assert tables["triples-train"]["qid"].to_list() == tables["queries-train-en"]["qid"].to_list()
    assert "4 triples left out: their query is not a training query" in capsys.readouterr().err


def test_triples_of_other_queries_only_are_an_error(tiny_msmarco, msmarco_spec, tmp_path, write) -> None:
    tiny_msmarco["triples/train"] = write("t.tsv", "x d1 d0\n")

    with pytest.raises(UserError, match="holds no triple of a training query"):
        build_collection(spec=msmarco_spec, files=tiny_msmarco, out=tmp_path / "world")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"langauges": ["en"]}, "collection: langauges: unknown key: did you mean languages"),
        ({"format": "trek"}, "format: 'trek': write one of afriqa, beir, "),
        ({"asked_in": ["en", "en"]}, "asked_in: .*name each language once"),
        ({"max_skipped": 2}, "max_skipped: 2: write a share"),
        ({"options": []}, "options: .*write a mapping"),
        ({"languages": "en"}, "languages: 'en': write a list"),
        ({"languages": ["en", "en"]}, "name each language once"),
        ({"languages": ["../en"]}, "language code"),
        ({"splits": ["tset"]}, "splits"),
        ({"splits": []}, "splits"),
        ({"dev": 1}, "dev: 1: write a share"),
        ({"dev": True}, "dev: True: write a number"),
        ({"labels": 1}, "labels: 1: write a share"),
        ({"labels": "0.1"}, r"labels: '0\.1': write a number"),
        ({"dev": "0.1"}, r"dev: '0\.1': write a number"),
        ({"splits": ["train", "dev"]}, "dev split of its own"),
        ({"source": "de"}, "source: de is not among the languages"),
        ({"splits": ["test"]}, "triples: there is no train split"),
        ({"documents_as": "words"}, "documents_as: 'words'"),
        ({"seed": "1"}, "seed: '1': write a whole number"),
    ],
)
def test_a_wrong_specification_is_named_by_key(msmarco_spec, change, message) -> None:
    with pytest.raises(UserError, match=message):
        CollectionSpec.from_plain(msmarco_spec | change).outputs()


@pytest.mark.parametrize(
    ("format", "options", "message"),
    [
        ("msmarco", {"documents": []}, "options.documents: not a mapping"),
        ("msmarco", {"judgements": {"id": "a"}}, "options.judgements: unknown key id"),
        ("msmarco", {"texts": {}}, "options.texts: not an option of the format msmarco: known: documents, queries"),
        ("tsv", {"documents": {"ids": "a"}}, "options.documents: unknown key ids: known: id, text, separator, header"),
        ("trec", {"queries": {"fields": "title"}}, "options.queries: fields is no list"),
        ("tsv", {"documents": {"header": 1}}, "options.documents: header is no bool"),
        ("tsv", {"judgements": {"document": None}}, "options.judgements: document is no str"),
        ("questions", {"documents": {"id": "a"}}, "options.documents: no text"),
    ],
)
def test_a_wrong_option_is_named_before_anything_is_read(
    tiny_msmarco, msmarco_spec, tmp_path, format, options, message
):
    spec = msmarco_spec | {"format": format, "options": options, "triples": format != "questions"}
    with pytest.raises(UserError, match=message):
        build_collection(spec=spec, files=tiny_msmarco, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_specification_needs_format_and_languages() -> None:
    with pytest.raises(UserError, match="languages: missing"):
        CollectionSpec.from_plain({"format": "squad"}).outputs()


def test_roles_are_checked_before_anything_is_read(tiny_msmarco, msmarco_spec, tmp_path) -> None:
    def fail(files: dict[str, str], message: str, **change: Any) -> None:
        with pytest.raises(UserError, match=message):
            build_collection(spec=msmarco_spec | change, files=files, out=tmp_path / "world")

    lacking = {role: path for role, path in tiny_msmarco.items() if role != "judgements/test"}
    fail(lacking, "files.judgements/test: missing")
    fail(tiny_msmarco | {"judgement/test": "x"}, "unknown role: did you mean judgements/test")
    fail(tiny_msmarco, "triples are not announced", triples=False)
    fail(tiny_msmarco, "triples: not part of the format squad", format="squad")
    fail({"test/en": tiny_msmarco["groups"]}, "languages.qaa: no file in this language", format="squad", triples=False)
    fail({"dev/en": tiny_msmarco["groups"]}, "files.dev/en: unknown role", format="squad", triples=False)


def test_the_outputs_are_named_without_heavy_imports() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from switchrank.collections.spec import CollectionSpec;"
        "CollectionSpec.from_plain({'format': 'squad', 'languages': ['en']}).outputs();"
        "sys.exit(bool({'polars', 'numpy', 'scipy', 'sentencex'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
