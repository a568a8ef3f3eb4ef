"""The analyses as plain commands: the same tables as the library makes, and mistakes in one line."""

import json

import polars as pl
import pytest

from switchrank.cli import main
from switchrank.evaluate.sweep import sweep_table
from switchrank.evaluate.why import overlap_table, shift_table
from switchrank.formats.tables import DOCUMENTS, JUDGEMENTS, METRICS, PER_QUERY, QUERIES, write_table
from switchrank.formats.trec_writing import write_run


@pytest.fixture
def given(tmp_path):
    """One query, one relevant passage in two languages, and what each command is given about them."""

    def table(name, schema, *rows):
        write_table(pl.DataFrame(rows, schema=schema, orient="row"), tmp_path / name, schema)
        return str(tmp_path / name)

    def stored(name, content):
        (tmp_path / name).write_text(json.dumps(content))
        return str(tmp_path / name)

    sides = {"testset": "t", "query_lang": "en"}
    judgements = table("j.parquet", JUDGEMENTS, ("q", "d", 1))
    texts = {"queries": table("q.parquet", QUERIES, ("q", "a b", "")), "judgements": judgements}
    pairs = [sides | texts | {"doc_lang": "en", "documents": table("d.parquet", DOCUMENTS, ("d", "b", ""))}]
    runs = []
    for lang, score in (("en", 3.0), ("de", 1.0)):
        path = tmp_path / f"{lang}.trec"
        write_run(pl.DataFrame({"qid": ["q"], "docid": ["d"], "score": [score]}), path, "a")
        runs.append(sides | {"path": str(path), "system": "a", "doc_lang": lang, "seed": 1})
    points = [{"sweep": "p", "x": "1", "system": "a", "lexicon": None, "stats": []}]
    return {
        "points": points,
        "pairs": pairs,
        "runs": runs,
        "judgements": judgements,
        "metrics": table("m.csv", METRICS, ("r", "a", "t", "moir", "both", "en", "en", 1, "mrr@10", 0.5, 1)),
        "per_query": table("p.parquet", PER_QUERY, ("a", "t", "en", "en", 1, "q", "mrr@10", 0.5)),
        "files": {
            name: stored(f"{name}.json", list_)
            for name, list_ in (("points", points), ("pairs", pairs), ("runs", runs))
        },
    }


def same(tmp_path, *words):
    """Whether the command writes the table that the library wrote to ``library.csv``."""
    assert main(["evaluate", *map(str, words), "--out", str(tmp_path / "command.csv")]) == 0
    return (tmp_path / "command.csv").read_bytes() == (tmp_path / "library.csv").read_bytes()


def test_sweep_gathers_what_the_library_gathers(given, tmp_path):
    sweep_table(points=given["points"], metrics=given["metrics"], out=tmp_path / "library.csv")
    assert same(tmp_path, "sweep", "--points", given["files"]["points"], "--metrics", given["metrics"])


def test_overlap_splits_as_the_library_does(given, tmp_path):
    overlap_table(pairs=given["pairs"], per_query=given["per_query"], out=tmp_path / "library.csv")
    assert same(tmp_path, "overlap", "--pairs", given["files"]["pairs"], "--per-query", given["per_query"])


def test_shift_measures_what_the_library_measures(given, tmp_path):
    judged = given["judgements"]
    shift_table(runs=given["runs"], judgements={"t": {"de": judged, "en": judged}}, out=tmp_path / "library.csv")
    words = ["--runs", given["files"]["runs"], "--judgements", f"t/de={judged}", f"t/en={judged}"]
    assert same(tmp_path, "shift", *words)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "wrong.json: invalid JSON"),
        ("{}", "wrong.json: input should be a valid array"),
        ("[3]", "wrong.json: [0]: input should be an object"),
        (
            '[{"sweep": "p", "x": "1", "system": "a", "lexicon": null, "stats": [], "y": 2}]',
            "wrong.json: [0].y: unknown: see --help for an example",
        ),
    ],
)
def test_a_wrong_list_is_one_line(given, tmp_path, capsys, content, message):
    (tmp_path / "wrong.json").write_text(content)
    words = ["sweep", "--points", tmp_path / "wrong.json", "--metrics", given["metrics"], "--out", tmp_path / "out.csv"]
    assert main(["evaluate", *map(str, words)]) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1


def test_judgements_without_a_language_are_one_line(given, tmp_path, capsys):
    words = ["shift", "--runs", given["files"]["runs"], "--judgements", "t=j.parquet", "--out", tmp_path / "out.csv"]
    assert main(["evaluate", *map(str, words)]) == 2
    assert "write testset/language=table" in capsys.readouterr().err
