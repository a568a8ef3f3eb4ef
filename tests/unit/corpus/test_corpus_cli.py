"""The command line does what the library does."""

import io
import json

import polars as pl
import pytest

from switchrank.cli import main
from switchrank.formats.tables import DOCUMENTS, JUDGEMENTS, LEXICON, QUERIES, write_table


@pytest.fixture
def folder(tmp_path):
    tables = {
        "documents": ([("d1", "the cat sat", "g"), ("d2", "a dog barked", "g"), ("d3", "a cat slept", "g")], DOCUMENTS),
        "queries": ([("q1", "which cat sat?", "g")], QUERIES),
        "judgements": ([("q1", "d1", 1)], JUDGEMENTS),
        "de": ([("cat", "katze", None, 1), ("sat", "saß", None, 1)], LEXICON),
    }
    for name, (rows, schema) in tables.items():
        write_table(pl.DataFrame(rows, schema=schema, orient="row"), tmp_path / f"{name}.parquet", schema)
    return tmp_path


def test_a_corpus_is_made_step_by_step(folder, capsys):
    tables = [f"--{name}={folder}/{name}.parquet" for name in ("queries", "documents", "judgements")]
    assert main(["corpus", "instances", *tables, "--negatives=1", f"--out={folder}/instances.parquet"]) == 0
    for name in ("queries", "documents"):
        assert main(["corpus", "tokens", f"--texts={folder}/{name}.parquet", f"--out={folder}/{name}"]) == 0
    arguments = [
        f"--instances={folder}/instances.parquet",
        f"--queries={folder}/queries",
        f"--documents={folder}/documents",
    ]
    capsys.readouterr()
    lexicon = f"--lexicon=de={folder}/de.parquet"
    assert main(["corpus", "switch", *arguments, lexicon, "--p=1", "--passage=en", f"--out={folder}/corpus"]) == 0
    assert json.loads(capsys.readouterr().out)["switched"] == 4
    corpus = pl.read_parquet(folder / "corpus/train-00000.parquet")
    assert corpus["query"].to_list() == ["which katze saß?"] * 2
    assert corpus["pid"].to_list() == ["d1", "d3"]


def test_lines_are_switched(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("The cat, category?\n\nsat\n"))
    assert main(["corpus", "text", f"--lexicon=de={folder}/de.parquet", "--p=1"]) == 0
    assert capsys.readouterr().out == "The katze, category?\n\nsaß\n"


@pytest.mark.parametrize("lexicon", [[], ["--lexicon=de"], ["--lexicon=de=none.parquet"]])
def test_a_wrong_lexicon_is_a_user_error(lexicon, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("cat\n"))
    assert main(["corpus", "text", *lexicon]) == 2
    assert capsys.readouterr().err.count("\n") == 1
