"""Per-query scores against values worked out by hand, ir_measures, and what ranx makes of dictionaries."""

import json
import math
import sys
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.recompute import by_ir_measures

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.evaluate import score as scoring
from switchrank.evaluate.score import Judged, check_metrics, evaluate_testset, score_run
from switchrank.formats import trec as trec_files
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
grades = st.dictionaries(st.sampled_from(DOCIDS), st.integers(1, 3), min_size=1, max_size=5)
rankings = st.permutations(DOCIDS).flatmap(lambda docids: st.integers(1, 12).map(lambda depth: docids[:depth]))
many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write_lines(path, rows):
    """A run whose scores all tie, lines as given: ``(qid, docid, rank)``."""
    path.write_text("".join(f"{qid} Q0 {docid} {rank} 0 x\n" for qid, docid, rank in rows))
    return path


@many
@given(relevant=grades, ranking=rankings, data=st.data())
def test_scores_lie_between_0_and_1_and_follow_rank_whatever_the_line_order(judge, tmp_path, relevant, ranking, data):
    judged = Judged(judge([("q", docid, grade) for docid, grade in relevant.items()]))
    rows = [("q", docid, rank) for rank, docid in enumerate(ranking, 1)]
    run = write_lines(tmp_path / "run.trec", rows)
    scores = {metric: float(values[0]) for metric, values in score_run(judged, run, METRICS).items()}
    assert all(0 <= value <= 1 + 1e-12 for value in scores.values())
    first = next((row[2] for row in rows if row[1] in relevant), None)
    assert scores["mrr@10"] == pytest.approx(0 if first is None or first > 10 else 1 / first)
    assert scores["recall@100"] == pytest.approx(sum(row[1] in relevant for row in rows) / len(relevant))
    shuffled = write_lines(tmp_path / "shuffled.trec", data.draw(st.permutations(rows)))
    assert {metric: float(values[0]) for metric, values in score_run(judged, shuffled, METRICS).items()} == scores


def test_a_ranking_that_puts_the_best_first_has_full_ndcg_and_map(judge, trec):
    judged = Judged(judge([("q", "d1", 3), ("q", "d2", 1)]))
    values = score_run(judged, trec({"q": ["d1", "d2", "d3"]}), METRICS).values()
    assert [value.tolist() for value in values] == [[1.0]] * 4


def test_equal_ranks_go_by_falling_score_then_by_document_id(judge, tmp_path):
    judged = Judged(judge([("q", "c", 1)]))
    lines = ["q Q0 c 1 0.5 x", "q Q0 a 1 0.5 x", "q Q0 b 1 0.7 x"]
    (tmp_path / "run.trec").write_text("".join(f"{line}\n" for line in lines))
    assert score_run(judged, tmp_path / "run.trec", ["mrr"])["mrr"].tolist() == [1 / 3]


DEPTHS = [f"{metric}{depth}" for metric in ("mrr", "ndcg", "map", "recall") for depth in ("", "@1", "@3", "@10")]
queries = st.sampled_from(["q1", "q2", "q3", "q4"])


@many
@given(judged=st.dictionaries(queries, grades, min_size=1), ranked=st.dictionaries(queries, rankings, min_size=1))
def test_ranx_gives_the_same_scores_for_dictionaries(judge, trec, judged, ranked):
    from ranx import Qrels, Run, evaluate

    mine = Judged(judge([(qid, docid, grade) for qid, found in judged.items() for docid, grade in found.items()]))
    scores = score_run(mine, trec(ranked), DEPTHS)
    run = {qid: {docid: -float(place) for place, docid in enumerate(ranked.get(qid, ["none"]))} for qid in judged}
    theirs = evaluate(Qrels(judged), Run(run), DEPTHS, return_mean=False)
    for metric in DEPTHS:
        assert scores[metric].tolist() == pytest.approx(list(theirs[metric]), abs=1e-12)


@settings(many, max_examples=25)
@given(judged=st.dictionaries(queries, grades, min_size=1), ranked=st.dictionaries(queries, rankings, min_size=1))
def test_ir_measures_gives_the_same_scores(judge, trec, judged, ranked):
    mine = Judged(judge([(qid, docid, grade) for qid, found in judged.items() for docid, grade in found.items()]))
    known = [metric for metric in DEPTHS if metric != "recall"]
    scores = score_run(mine, trec(ranked), known)
    for metric, theirs in by_ir_measures(ranked, judged, known).items():
        expected = [theirs.get(qid, 0.0) for qid in sorted(judged)]
        assert scores[metric].tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("metric", DEPTHS)
def test_one_metric_alone_has_the_values_it_has_among_others(judge, trec, metric):
    judged, run = Judged(judge(JUDGED)), trec(RUN)
    alone = score_run(judged, run, [metric])
    assert list(alone) == [metric]
    assert alone[metric].tolist() == score_run(judged, run, DEPTHS)[metric].tolist()


def test_one_query_with_a_deep_ranking_and_one_with_many_judgements_take_no_memory_for_the_others(
    judge, trec, monkeypatch
):
    """Queries are scored a few at a time, as many as have room for the largest of them."""
    judged = Judged(judge([*JUDGED, ("y", "last", 1), *(("w", f"w{n}", 1 + n % 3) for n in range(30))]))
    run = trec(RUN | {"y": [f"y{n}" for n in range(39)] + ["last"], "w": ["w5", "w1"]})
    whole = {metric: values.tolist() for metric, values in score_run(judged, run, DEPTHS).items()}
    shapes = []

    class Watched:
        @staticmethod
        def evaluate(qrels, run, *words, **options):
            shapes.append((qrels.shape, run.shape))
            return ranx.evaluate(qrels, run, *words, **options)

    ranx = scoring.ranx()
    monkeypatch.setattr(scoring, "ranx", Watched)
    monkeypatch.setattr(scoring, "_CELLS", 80)
    assert {metric: values.tolist() for metric, values in score_run(judged, run, DEPTHS).items()} == whole
    assert len(shapes) == 3
    assert all(queries * depth <= 80 for pair in shapes for queries, depth, _ in pair)


def test_no_score_without_ranx(judge, trec, monkeypatch):
    """It is ranx that computes: a stub in its place is what answers."""

    def asked(*_words, **_options):
        raise RuntimeError("the stub was asked")

    monkeypatch.setitem(sys.modules, "ranx", SimpleNamespace(evaluate=asked))
    scoring.ranx.cache_clear()
    try:
        with pytest.raises(RuntimeError, match="the stub was asked"):
            score_run(Judged(judge(JUDGED)), trec(RUN), METRICS)
    finally:
        scoring.ranx.cache_clear()


@pytest.mark.parametrize("order", ["queries together", "queries mixed"])
@pytest.mark.parametrize("piece", [1, 300, 10_000])
def test_a_large_run_read_in_pieces_scores_the_same(judge, tmp_path, monkeypatch, order, piece):
    rng = np.random.default_rng(3)
    rows = [(f"q{q}", f"d{d}", rank) for q in range(40) for rank, d in enumerate(rng.permutation(25), 1)]
    if order == "queries mixed":
        rows = [rows[number] for number in rng.permutation(len(rows))]
    run = write_lines(tmp_path / "run.trec", rows)
    judged = Judged(judge([(f"q{q}", f"d{d}", 1 + d % 2) for q in range(0, 40, 2) for d in range(q % 7, 25, 6)]))
    whole = score_run(judged, run, DEPTHS)
    monkeypatch.setattr(trec_files, "_PIECE", piece)
    assert {name: values.tolist() for name, values in score_run(judged, run, DEPTHS).items()} == {
        name: values.tolist() for name, values in whole.items()
    }


@pytest.mark.parametrize("bad", ["q39 Q0 d1 99 0 x\n", "q39 Q0 d7 one 0 x\n", "q40 Q0\n", "q40 Q0\td1 1 0\n", "\xff\n"])
def test_a_defect_in_a_late_piece_is_the_same_line_as_in_a_whole_file(judge, tmp_path, monkeypatch, bad):
    text = "".join(f"q{q} Q0 d{d} {d + 1} 0 x\n" for q in range(40) for d in range(5)) + bad
    (tmp_path / "run.trec").write_bytes(text.encode("latin-1"))
    judged = Judged(judge([("q1", "d1", 1)]))
    told = []
    for piece in (1 << 24, 300):
        monkeypatch.setattr(trec_files, "_PIECE", piece)
        with pytest.raises(UserError) as error:
            score_run(judged, tmp_path / "run.trec", METRICS)
        told.append(str(error.value))
    assert told[0] == told[1]
    assert "\n" not in told[0]


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
    assert "runs.json: [0].path: missing: see --help for an example" in capsys.readouterr().err
