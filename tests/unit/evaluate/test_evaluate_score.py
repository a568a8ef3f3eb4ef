"""Per-query scores against values worked out by hand. ranx compiles once, so one test scores all golden cases."""

import json
import math

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switchrank.cli import main
from switchrank.errors import UserError
from switchrank.evaluate.score import Judged, check_metrics, evaluate_testset, score_run
from switchrank.formats.tables import PER_QUERY, read_table

METRICS = ["mrr@10", "ndcg@10", "map", "recall@100"]
JUDGED = [("a", "r1", 2), ("a", "r2", 1), ("a", "n", 0), ("b", "r1", 1), ("c", "r3", 1), ("z", "n", 0)]
RUN = {
    "a": ["x1", "r2", "n", "r1"],
    "b": [f"x{n}" for n in range(10)] + ["r1"],
    "z": ["n"],
}
GAIN = (1 / math.log2(3) + 2 / math.log2(5)) / (2 / math.log2(2) + 1 / math.log2(3))
GOLDEN = {
    ("mrr@10", "a"): 1 / 2,
    ("ndcg@10", "a"): GAIN,
    ("map", "a"): (1 / 2 + 2 / 4) / 2,
    ("recall@100", "a"): 1.0,
    ("mrr@10", "b"): 0.0,
    ("ndcg@10", "b"): 0.0,
    ("map", "b"): 1 / 11,
    ("recall@100", "b"): 1.0,
    **{(metric, "c"): 0.0 for metric in METRICS},
}


def describe(path, system="toy", query_lang="de", doc_lang="en", seed=1):
    return {"path": str(path), "system": system, "query_lang": query_lang, "doc_lang": doc_lang, "seed": seed}


def test_every_judged_query_is_scored_as_by_hand(judge, trec, tmp_path):
    """Query a has graded relevance, b its only relevant document at rank 11, c no candidates, z nothing relevant."""
    runs = [describe(trec(RUN)), describe(trec({"a": ["r1"]}, "other.trec"), system="a-system", seed=2)]
    judgements = {"en": judge(JUDGED)}
    out = tmp_path / "world.parquet"
    evaluate_testset(runs=runs, judgements=judgements, testset="world", metrics=METRICS, out=out)
    table = read_table(out, PER_QUERY)
    order = ["system", "testset", "query_lang", "doc_lang", "seed", "metric", "qid"]
    assert table.select(order).rows() == sorted(table.select(order).rows())
    toy = table.filter(pl.col("system") == "toy")
    assert {(row["metric"], row["qid"]): row["value"] for row in toy.iter_rows(named=True)} == pytest.approx(GOLDEN)
    other = dict(
        table.filter((pl.col("system") == "a-system") & (pl.col("qid") == "a")).select("metric", "value").rows()
    )
    assert other == pytest.approx(
        {"mrr@10": 1, "ndcg@10": 2 / (2 + 1 / math.log2(3)), "map": 1 / 2, "recall@100": 1 / 2}
    )
    again = tmp_path / "again.parquet"
    evaluate_testset(runs=runs[::-1], judgements=judgements, testset="world", metrics=METRICS, out=again)
    assert again.read_bytes() == out.read_bytes()


def test_the_command_scores_a_list_of_runs(judge, trec, tmp_path):
    (tmp_path / "runs.json").write_text(json.dumps([describe(trec(RUN))]))
    words = ["--runs", tmp_path / "runs.json", "--judgements", f"en={judge(JUDGED)}", "--testset", "world"]
    code = main(["evaluate", "score", *map(str, words), "--metrics", "mrr@10", "--out", str(tmp_path / "out.parquet")])
    assert code == 0
    assert read_table(tmp_path / "out.parquet", PER_QUERY)["value"].to_list() == [0.5, 0, 0]


DOCIDS = [f"d{n}" for n in range(12)]
judgements = st.dictionaries(st.sampled_from(DOCIDS), st.integers(1, 3), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(relevant=judgements, ranking=st.permutations(DOCIDS), depth=st.integers(1, 12), data=st.data())
def test_scores_lie_between_0_and_1_and_follow_rank_whatever_the_line_order(judge, relevant, ranking, depth, data):
    judged = Judged(judge([("q", docid, grade) for docid, grade in relevant.items()]))
    rows = [("q", docid, rank, 0.0) for rank, docid in enumerate(ranking[:depth], 1)]
    schema = {"qid": pl.String, "docid": pl.String, "rank": pl.Int32, "score": pl.Float64}
    run = pl.DataFrame(rows, schema=schema, orient="row")
    scores = {metric: float(values[0]) for metric, values in score_run(judged, run, METRICS).items()}
    assert all(0 <= value <= 1 + 1e-12 for value in scores.values())
    first = next((row[2] for row in rows if row[1] in relevant), None)
    assert scores["mrr@10"] == pytest.approx(0 if first is None or first > 10 else 1 / first)
    assert scores["recall@100"] == pytest.approx(sum(row[1] in relevant for row in rows) / len(relevant))
    shuffled = pl.DataFrame(data.draw(st.permutations(rows)), schema=schema, orient="row")
    assert {metric: float(values[0]) for metric, values in score_run(judged, shuffled, METRICS).items()} == scores


def test_a_ranking_that_puts_the_best_first_has_full_ndcg_and_map(judge):
    judged = Judged(judge([("q", "d1", 3), ("q", "d2", 1)]))
    rows = [("q", "d1", 1, 5.0), ("q", "d2", 2, 4.0), ("q", "d3", 3, 3.0)]
    run = pl.DataFrame(rows, schema=["qid", "docid", "rank", "score"], orient="row")
    assert [values.tolist() for values in score_run(judged, run, METRICS).values()] == [[1.0]] * 4


@pytest.mark.parametrize("metric", ["mrr@0", "ndcg_10", "err@10", ""])
def test_unknown_metrics_are_errors(metric):
    with pytest.raises(UserError, match="unknown metric"):
        check_metrics([metric])


def test_missing_judgements_and_broken_lists_are_user_errors(judge, trec, tmp_path, capsys):
    with pytest.raises(UserError, match="documents in en"):
        evaluate_testset(
            runs=[describe(trec(RUN))],
            judgements={"de": judge(JUDGED)},
            testset="w",
            metrics=METRICS,
            out=tmp_path / "o",
        )
    with pytest.raises(UserError, match="no positive judgement"):
        Judged(judge([("q", "d", 0)]))
    with pytest.raises(UserError, match="judged twice"):
        Judged(judge([("q", "d", 1), ("q", "d", 2)]))
    (tmp_path / "runs.json").write_text("[{}]")
    words = ["--judgements", "en=x", "--testset", "w", "--out", str(tmp_path / "o")]
    assert main(["evaluate", "score", "--runs", str(tmp_path / "runs.json"), *words]) == 2
    assert main(["evaluate", "score", "--runs", str(tmp_path / "nowhere.json"), *words]) == 2
    assert "not a list of runs" in capsys.readouterr().err
