"""Random and BM25 reference rankings."""

import polars as pl
import pytest

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.tables import CANDIDATES, write_table
from switchrank.formats.trec import read_run
from switchrank.rank.reference import random_scores, rank_reference


@pytest.fixture
def pair(collection, candidates, tmp_path):
    """One pair as the rule gives it."""
    names = ("queries", "documents")
    return {name: str(collection[name]) for name in names} | {
        "candidates": str(candidates),
        "out": str(tmp_path / "en-en" / "seed1.trec"),
    }


def test_bm25_ranks_the_candidates_by_words_shared(pair):
    rank_reference(kind="bm25", pairs=[pair])
    run = read_run(pair["out"])
    assert run.filter(pl.col("qid") == "q2")["docid"].to_list() == ["d3", "d4", "d1", "d5"]
    assert run.filter(pl.col("qid") == "q2")["score"].to_list()[2:] == [0, 0]
    assert run.filter(pl.col("qid") == "q1")["docid"].to_list() == ["d2", "d1"]


def test_a_depth_keeps_the_best_documents_of_each_query(pair):
    rank_reference(kind="bm25", pairs=[pair], depth=1)
    assert read_run(pair["out"]).select("qid", "docid").rows() == [("q2", "d3"), ("q1", "d2")]


def test_random_is_a_permutation_that_depends_on_seed_testset_and_pair():
    rows = [(f"q{q}", f"d{d}", d) for q in range(3) for d in range(1, 30)]
    table = pl.DataFrame(rows, schema=CANDIDATES, orient="row")
    names = {"seed": 1, "testset": "world", "pair": "de-en"}
    base = random_scores(table, **names)
    assert base.equals(random_scores(table, **names))
    assert base["score"].is_between(0, 1, closed="left").all()
    for change in ({"seed": 2}, {"testset": "xquad"}, {"pair": "en-de"}):
        assert not base.equals(random_scores(table, **(names | change)))


def test_random_shuffles_every_query_by_itself():
    rows = [(f"q{q}", f"d{d}", d) for q in range(20) for d in range(1, 30)]
    scores = random_scores(pl.DataFrame(rows, schema=CANDIDATES, orient="row"), seed=1, testset="world", pair="de-en")
    orders = {tuple(group.sort("score")["docid"]) for _, group in scores.group_by("qid")}
    assert len(orders) == 20


def test_random_does_not_depend_on_the_order_of_candidates():
    rows = [("q1", f"d{d}", d) for d in range(20)]
    names = {"seed": 1, "testset": "world", "pair": "de-en"}
    forward = random_scores(pl.DataFrame(rows, schema=CANDIDATES, orient="row"), **names)
    backward = random_scores(pl.DataFrame(rows[::-1], schema=CANDIDATES, orient="row"), **names)
    assert forward.sort("docid").equals(backward.sort("docid"))


def test_the_command_ranks_every_pair(pair, tmp_path):
    files = [pair[name] for name in ("queries", "documents", "candidates")]
    outs = [str(tmp_path / name / "seed1.trec") for name in ("en-en", "de-en")]
    words = [word for out in outs for word in ("--pair", *files, out)]
    assert main(["rank", "reference", "random", *words]) == 0
    first, second = (read_run(out) for out in outs)
    assert len(first) == len(second) == 6
    assert first["score"].to_list() != second["score"].to_list()


def test_unknown_kinds_and_ids_are_errors(pair, tmp_path):
    with pytest.raises(UserError, match="unknown reference"):
        rank_reference(kind="oracle", pairs=[pair])
    path = tmp_path / "strange.parquet"
    write_table(pl.DataFrame([("q1", "d99", 1)], schema=CANDIDATES, orient="row"), path, CANDIDATES)
    with pytest.raises(UserError, match="d99"):
        rank_reference(kind="bm25", pairs=[pair | {"candidates": str(path)}])
