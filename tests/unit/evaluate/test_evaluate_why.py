"""Word overlap and language shift, worked by hand on a handful of texts."""

import json

import polars as pl
import pytest

from switchrank.core.errors import UserError
from switchrank.evaluate.sweep import sweep_table, switch_ratio
from switchrank.evaluate.why import overlap_table, query_overlap, shift_table
from switchrank.formats.tables import (
    DOCUMENTS,
    JUDGEMENTS,
    METRICS,
    OVERLAP,
    PER_QUERY,
    QUALITY,
    QUERIES,
    SHIFT,
    SWEEP,
    read_table,
    write_table,
)
from switchrank.formats.trec_writing import write_run


def table(path, schema, rows):
    write_table(pl.DataFrame(rows, schema=schema, orient="row"), path, schema)
    return str(path)


@pytest.fixture
def pair(tmp_path):
    queries = [("q1", "The red CAT sat", ""), ("q2", "blue sea", ""), ("q3", "nothing here", ""), ("q4", "?!", "")]
    documents = [("d1", "a cat", ""), ("d2", "the cat that sat", ""), ("d3", "blue sea, blue sea", ""), ("d4", "x", "")]
    judged = [("q1", "d1", 1), ("q1", "d2", 1), ("q2", "d3", 1), ("q3", "d4", 1), ("q3", "d3", 0), ("q4", "d4", 1)]
    return {
        "testset": "t",
        "query_lang": "en",
        "doc_lang": "en",
        "queries": table(tmp_path / "q.parquet", QUERIES, queries),
        "documents": table(tmp_path / "d.parquet", DOCUMENTS, documents),
        "judgements": table(tmp_path / "j.parquet", JUDGEMENTS, judged),
    }


def test_the_overlap_is_that_of_the_best_relevant_passage_caseless_and_over_distinct_words(pair):
    # q1: {the, red, cat, sat}; d1 has cat (1/4), d2 has the, cat, sat (3/4). q4 has no word.
    assert dict(query_overlap(pair).iter_rows()) == {"q1": 0.75, "q2": 1.0, "q3": 0.0}


def test_a_bin_holds_its_lower_edge_and_the_last_bin_both(pair, tmp_path):
    values = {"q1": 0.5, "q2": 1.0, "q3": 0.2, "q4": 0.9}
    rows = [("a", "t", "en", "en", 1, qid, "mrr@10", value) for qid, value in values.items()]
    scores = table(tmp_path / "per_query.parquet", PER_QUERY, rows)
    overlap_table(pairs=[pair], per_query=scores, out=tmp_path / "overlap.csv")
    found = read_table(tmp_path / "overlap.csv", OVERLAP).select("low", "high", "value", "queries").rows()
    assert found == [(0.0, 0.25, 0.2, 1), (0.75, 1.0, 0.75, 2)]


def test_an_unknown_metric_is_an_error(pair, tmp_path):
    scores = table(tmp_path / "p.parquet", PER_QUERY, [("a", "t", "en", "en", 1, "q1", "map", 1.0)])
    with pytest.raises(UserError, match="no mrr@10"):
        overlap_table(pairs=[pair], per_query=scores, out=tmp_path / "overlap.csv")


def test_the_drop_is_the_difference_of_the_same_passage_in_two_languages(pair, tmp_path):
    scores = {"en": {"d1": 3.0, "d2": 5.0, "d3": 4.0}, "de": {"d1": 1.0, "d2": 4.5, "d9": 9.0}}
    runs = []
    for lang, found in scores.items():
        rows = [("q2" if docid == "d3" else "q1", docid, score) for docid, score in found.items()]
        frame = pl.DataFrame(rows, schema=["qid", "docid", "score"], orient="row")
        write_run(frame.with_columns(pl.col("score").cast(pl.Float32)), tmp_path / f"en-{lang}.trec", "a")
        path = str(tmp_path / f"en-{lang}.trec")
        runs.append({"path": path, "system": "a", "testset": "t", "query_lang": "en", "doc_lang": lang, "seed": 1})
    shift_table(runs=runs, judgements={"t": {"de": pair["judgements"]}}, out=tmp_path / "shift.csv")
    # d1: 3 - 1 = 2; d2: 5 - 4.5 = 0.5; d3 is in one run only, d9 is not relevant. Mean 1.25, sd sqrt(2 * .75 ** 2).
    row = read_table(tmp_path / "shift.csv", SHIFT).row(0, named=True)
    assert (row["doc_lang"], row["drop"], row["pairs"]) == ("de", 1.25, 2)
    assert row["drop_sd"] == pytest.approx(1.0606601717798212)


def test_a_run_without_a_monolingual_one_beside_it_is_left_out(pair, tmp_path):
    frame = pl.DataFrame({"qid": ["q1"], "docid": ["d1"], "score": pl.Series([1.0], dtype=pl.Float32)})
    write_run(frame, tmp_path / "a.trec", "a")
    run = {
        "path": str(tmp_path / "a.trec"),
        "system": "a",
        "testset": "t",
        "query_lang": "de",
        "doc_lang": "en",
        "seed": 1,
    }
    shift_table(runs=[run], judgements={"t": {"en": pair["judgements"]}}, out=tmp_path / "shift.csv")
    assert read_table(tmp_path / "shift.csv", SHIFT).is_empty()


@pytest.fixture
def swept(tmp_path):
    for name, (content, switched) in {"a": (100, 20), "b": (300, 100)}.items():
        total = {"total": {"content_tokens": content, "content_switched": switched}}
        (tmp_path / f"{name}.json").write_text(json.dumps(total))
    rows = [
        ("r", system, "t", "clir", "both", "en", "de", 1, "map", value, 9)
        for system, value in (("x", 0.5), ("y", 0.25))
    ]
    gold = [("clwe", "en", tgt, "g", p, p, p, 1.0, 5) for tgt, p in (("de", 0.5), ("it", 0.25))]
    return {
        "metrics": table(tmp_path / "m.csv", METRICS, rows),
        "quality": table(tmp_path / "q.csv", QUALITY, gold),
        "out": tmp_path / "sweep.csv",
    }


def test_a_point_has_the_metrics_of_its_system_the_switch_ratio_and_the_lexicon_quality(swept, tmp_path):
    stats = [str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    points = [
        {"sweep": "p", "x": "0.5", "system": "y", "lexicon": "clwe", "stats": stats},
        {"sweep": "p", "x": "1.0", "system": "x", "lexicon": "titles", "stats": stats[:1]},
    ]
    sweep_table(points=points, **swept)
    found = read_table(swept["out"], SWEEP).select("x", "system", "value", "switched", "p_at_1").rows()
    assert found == [("0.5", "y", 0.25, 0.3, 0.375), ("1.0", "x", 0.5, 0.2, None)]


def test_a_point_whose_system_was_not_ranked_is_an_error(swept):
    point = {"sweep": "p", "x": "1", "system": "z", "lexicon": None, "stats": []}
    with pytest.raises(UserError, match="system z: no metrics"):
        sweep_table(points=[point], **swept)
    assert not swept["out"].exists()


def test_a_corpus_without_switching_has_ratio_zero(tmp_path):
    (tmp_path / "s.json").write_text('{"instances": 3}')
    assert switch_ratio([str(tmp_path / "s.json")]) == 0.0
