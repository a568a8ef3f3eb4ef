"""Ranking the user's own files."""

import gzip

import polars as pl
import pytest

from switchrank.cli import main
from switchrank.formats.trec import read_run


@pytest.fixture
def own(tmp_path):
    """Two queries and three documents as TSV."""
    (tmp_path / "q.tsv").write_text("q1\tred fox\nq2\twhale\n")
    (tmp_path / "d.tsv").write_text("d1\tthe red fox\nd2\ta whale\twith a tab\nd3\t\n")
    return tmp_path


def _rank(folder, model, *extra, queries="q.tsv", docs="d.tsv"):
    words = ["--model", str(model), "--queries", str(folder / queries), "--docs", str(folder / docs)]
    return main(["rank", *words, "--out", str(folder / "out.trec"), *extra])


def test_without_a_run_every_document_is_ranked_for_every_query(own, bert_folder):
    assert _rank(own, bert_folder) == 0
    run = read_run(own / "out.trec")
    assert sorted(run.select("qid", "docid").rows()) == [(q, d) for q in ("q1", "q2") for d in ("d1", "d2", "d3")]


def test_top_ranks_only_bm25_hits(own, bert_folder):
    assert _rank(own, bert_folder, "--top", "2") == 0
    assert read_run(own / "out.trec").select("qid", "docid").rows() == [("q1", "d1"), ("q2", "d2")]


def test_a_run_says_what_is_ranked(own, bert_folder):
    (own / "r.trec").write_text("q2 Q0 d3 1 9 x\nq2 Q0 d1 2 8 x\n")
    assert _rank(own, bert_folder, "--run", str(own / "r.trec")) == 0
    assert sorted(read_run(own / "out.trec")["docid"]) == ["d1", "d3"]


@pytest.mark.parametrize("top", ["0", "-1"])
@pytest.mark.parametrize("run", [True, False])
def test_a_top_below_one_is_a_mistake_with_and_without_a_run(own, bert_folder, top, run, capsys):
    (own / "r.trec").write_text("q2 Q0 d3 1 9 x\n")
    assert _rank(own, bert_folder, "--top", top, *(["--run", str(own / "r.trec")] if run else [])) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"rank: top: {top} documents per query: give 1 or more, or leave it out to rank them all"
    assert not (own / "out.trec").exists()


def test_languages_without_shared_words_are_told_to_bring_a_run(own, bert_folder, capsys):
    (own / "q.tsv").write_text("q1\tFuchs\nq2\tWal\n")
    assert _rank(own, bert_folder, "--top", "2") == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"{own}/q.tsv: top: no query is ranked: each has no word in common with any document: ")
    assert "(--run)" in error
    assert not (own / "out.trec").exists()


def test_queries_that_find_nothing_while_others_do_are_counted(own, bert_folder, capsys):
    (own / "q.tsv").write_text("q1\tFuchs\nq2\twhale\nq3\tWal\n")
    assert _rank(own, bert_folder, "--top", "2") == 0
    assert read_run(own / "out.trec").select("qid", "docid").rows() == [("q2", "d2")]
    assert f"{own}/q.tsv: 2 of 3 queries have no word in common with any document and are left out: give the " in (
        capsys.readouterr().err
    )


def test_queries_that_a_run_does_not_hold_are_counted(own, bert_folder, capsys):
    (own / "r.trec").write_text("q2 Q0 d3 1 9 x\n")
    assert _rank(own, bert_folder, "--run", str(own / "r.trec")) == 0
    assert f"q.tsv: 1 of 2 queries have no document in {own}/r.trec and are left out" in capsys.readouterr().err
    assert _rank(own, bert_folder) == 0
    assert "left out" not in capsys.readouterr().err


def test_pieces_that_the_model_does_not_know_are_counted(own, bert_folder, capsys):
    assert _rank(own, bert_folder) == 0
    assert "unknown to the model" not in capsys.readouterr().err
    (own / "q.tsv").write_text("q1\tкит fox\nq2\tкот\n")  # a piece each, and three
    assert _rank(own, bert_folder) == 0
    told = capsys.readouterr().err
    assert f"{own}/q.tsv: 2 of 5 pieces (40.00%) are unknown to the model\n" in told
    assert told.count("unknown to the model") == 1


def test_an_empty_run_is_no_empty_answer(own, bert_folder, capsys):
    (own / "r.trec").write_text("")
    assert _rank(own, bert_folder, "--run", str(own / "r.trec")) == 2
    assert str(own / "r.trec") in capsys.readouterr().err.splitlines()[-1]
    assert not (own / "out.trec").exists()


def test_gzipped_and_parquet_files_give_the_same_run(own, bert_folder):
    assert _rank(own, bert_folder) == 0
    plain = (own / "out.trec").read_bytes()
    (own / "d.tsv.gz").write_bytes(gzip.compress((own / "d.tsv").read_bytes()))
    pl.DataFrame({"qid": ["q1", "q2"], "text": ["red fox", "whale"]}).write_parquet(own / "q.parquet")
    assert _rank(own, bert_folder, queries="q.parquet", docs="d.tsv.gz") == 0
    assert (own / "out.trec").read_bytes() == plain


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("d1\tone\nd2 two\n", "d.tsv: line 2: no id and text"),
        ("d1\tone\nd1\ttwo\n", "d.tsv: line 2: id d1 again, first on line 1"),
        ("d 1\tone\n", "d.tsv: line 1: white space in the id"),
        ("", "d.tsv: empty"),
        ("\tone\n", "d.tsv: line 1: no id"),
    ],
)
def test_mistakes_in_a_file_are_named_with_their_line(own, bert_folder, content, message, capsys):
    (own / "d.tsv").write_text(content)
    assert _rank(own, bert_folder) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert message in error
    assert not (own / "out.trec").exists()


def test_missing_files_flags_and_bytes_that_are_not_text_are_user_errors(own, bert_folder, capsys):
    assert _rank(own, bert_folder, docs="nowhere.tsv") == 2
    (own / "latin.tsv").write_bytes(b"d1\tk\xe4se\n")
    assert _rank(own, bert_folder, docs="latin.tsv") == 2
    pl.DataFrame({"name": ["a"]}).write_parquet(own / "p.parquet")
    assert _rank(own, bert_folder, docs="p.parquet") == 2
    pl.DataFrame({"id": ["a", "a"], "text": ["x", "y"]}).write_parquet(own / "p.parquet")
    assert _rank(own, bert_folder, docs="p.parquet") == 2
    assert main(["rank", "--model", str(bert_folder)]) == 2
    errors = capsys.readouterr().err
    for message in ("no such file", "not UTF-8", "found name", "id a: missing or not unique", "--queries --docs --out"):
        assert message in errors
