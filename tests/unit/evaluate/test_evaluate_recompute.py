"""A finished run's tables agree with what its TREC runs give by other means, and a wrong cell does not go unseen."""

import csv
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from tests.recompute import Design, by_definition, by_ir_measures, recompute
from tests.recompute.design import EvaluationSet

from switchrank.core.languages import Languages
from switchrank.evaluate.score import evaluate_testset
from switchrank.evaluate.tables import Settings, make_tables
from switchrank.formats.tables import JUDGEMENTS, PER_QUERY, read_table, write_table
from switchrank.formats.trec_writing import write_run

PAIRS = [("en", "de"), ("de", "en"), ("de", "de")]
METRICS = ["mrr@10", "ndcg@10", "map", "recall@100"]
DOCUMENTS = [f"d{number:02}" for number in range(14)]
QUERIES = {"few": 9, "many": 40}
TABLES = ("metrics.csv", "per_query.parquet", "significance.csv", "effects.csv")
OPTIONS = {"tables": TABLES, "peer": "definitions", "draws": 4000}
DESIGN = Design(
    run="synthetic",
    source="en",
    known=frozenset(["en", "de"]),
    systems=("zero-shot", "ml-cs"),
    references=("random",),
    testsets=dict.fromkeys(QUERIES, EvaluationSet(collection="none")),
    tested=("mrr@10", "map"),
    tests=("fisher", "t"),
    families="testset",
    apart={"random": "references"},
    permutations=4000,
)


def _judge(folder, testset, random):
    for language in ("de", "en"):
        rows = [
            (f"q{query}", docid, int(grade))
            for query in range(QUERIES[testset])
            for docid, grade in zip(
                random.choice(DOCUMENTS, 3, replace=False), (random.integers(1, 4), 1, 0), strict=True
            )
        ]
        path = folder / "testsets" / testset / f"judgements-{language}.parquet"
        write_table(pl.DataFrame(rows, schema=JUDGEMENTS, orient="row"), path, JUDGEMENTS)


def _rank(folder, testset, system, pair, seed, random):
    """Graded scores (many tie); a relevant document has a better chance with ml-cs; one query has no candidates."""
    judged = read_table(folder / "testsets" / testset / f"judgements-{pair[1]}.parquet", JUDGEMENTS)
    grades = {(qid, docid): grade for qid, docid, grade in judged.rows()}
    bonus = {"ml-cs": 1.5, "zero-shot": 0.7, "random": 0.0}[system]
    rows = [
        (f"q{query}", docid, float(round(random.normal() + bonus * grades.get((f"q{query}", docid), 0), 1)))
        for query in range(1, QUERIES[testset])
        for docid in random.permutation(DOCUMENTS)[:12]
    ]
    path = folder / "runs" / system / testset / "-".join(pair) / f"seed{seed}.trec"
    write_run(pl.DataFrame(rows, schema=["qid", "docid", "score"], orient="row"), path, system)
    return {"path": path, "system": system, "query_lang": pair[0], "doc_lang": pair[1], "seed": seed}


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    """Two systems and a reference on three pairs of two test sets; two seeds for the systems."""
    folder, random = tmp_path_factory.mktemp("run"), np.random.default_rng(5)
    for testset in QUERIES:
        _judge(folder, testset, random)
        runs = [
            _rank(folder, testset, system, pair, seed, random)
            for system in ("zero-shot", "ml-cs", "random")
            for pair in PAIRS
            for seed in ((1,) if system == "random" else (1, 2))
        ]
        evaluate_testset(
            runs=runs,
            judgements={name: folder / "testsets" / testset / f"judgements-{name}.parquet" for name in ("de", "en")},
            testset=testset,
            metrics=METRICS,
            out=folder / "evaluate" / f"{testset}.parquet",
        )
    tables = folder / "tables"
    make_tables(
        per_query=[folder / "evaluate" / f"{testset}.parquet" for testset in QUERIES],
        run="synthetic",
        out=tables,
        languages=Languages("en", ["de"]),
        settings=Settings(tests=["fisher", "t"], families="testset", permutations=4000),
        tested=["mrr@10", "map"],
    )
    return folder


@pytest.fixture
def copied(finished_run, tmp_path):
    """A copy of the run whose tables a test may spoil."""
    return shutil.copytree(finished_run, tmp_path / "run")


def _plant(path, row, column, change):
    """Change one cell; return the words by which its row is named."""
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert rows[row][column] != change(rows[row][column])
    rows[row][column] = change(rows[row][column])
    with path.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return [rows[row][name] for name in ("testset", "query_lang", "doc_lang", "metric", "system")]


def test_tables_agree_with_what_the_runs_give(finished_run):
    assert recompute(finished_run, DESIGN, **OPTIONS) == []


def test_tables_agree_with_ir_measures(finished_run):
    assert recompute(finished_run, DESIGN, **OPTIONS | {"peer": "ir_measures"}) == []


def test_the_definitions_agree_with_ir_measures():
    judged = {"a": {"d1": 2, "d2": 1}, "b": {"d3": 1}, "c": {"d1": 1}}
    ranked = {"a": ["x", "d2", "d1"], "b": [f"x{n}" for n in range(10)] + ["d3"], "z": ["d1"]}
    expected = by_definition(ranked, judged, METRICS)
    for metric, scores in by_ir_measures(ranked, judged, METRICS).items():
        assert scores == pytest.approx(expected[metric])


def _more(value):
    return str(float(value) + 0.05)


PLANTED = [
    ("metrics.csv", "value", _more),
    ("metrics.csv", "setup", lambda _: "mlir"),
    ("metrics.csv", "seen", lambda _: "none"),
    ("metrics.csv", "queries", lambda value: str(int(value) + 1)),
    ("significance.csv", "value", _more),
    ("significance.csv", "baseline_value", _more),
    ("significance.csv", "delta", _more),
    ("significance.csv", "ci_low", _more),
    ("significance.csv", "ci_high", lambda _: ""),
    ("significance.csv", "p_value", lambda value: str(1 - float(value))),
    ("significance.csv", "p_corrected", _more),
    ("significance.csv", "significant", lambda value: {"true": "false", "false": "true"}[value]),
    ("significance.csv", "family_size", lambda value: str(int(value) - 1)),
    ("significance.csv", "seeds", lambda _: "9"),
    ("significance.csv", "correction", lambda _: "none"),
    ("effects.csv", "setup", lambda _: "mlir"),
    ("effects.csv", "delta", _more),
    ("effects.csv", "effect_size", _more),
    ("effects.csv", "boot_low", lambda value: str(float(value) - 0.05)),
    ("effects.csv", "boot_high", lambda value: str(float(value) - 0.05)),
]


def test_every_planted_wrong_cell_is_found_and_named(copied):
    """One wrong cell in each of many rows, at once."""
    places = [
        _plant(copied / "tables" / table, row, column, change) for row, (table, column, change) in enumerate(PLANTED)
    ]
    wrong = recompute(copied, DESIGN, **OPTIONS)
    for (table, column, _), words in zip(PLANTED, places, strict=True):
        lines = [line for line in wrong if line.startswith(table) and f" {column}:" in line]
        assert any(set(words) <= set(line.split(":")[0].split()) for line in lines), (table, column, words)


def test_rows_under_another_name_are_missing_and_too_many(copied):
    for table, column, name in (
        ("metrics.csv", "seed", "7"),
        ("significance.csv", "test", "t"),
        ("effects.csv", "system", "no"),
    ):
        _plant(copied / "tables" / table, 0, column, lambda _, name=name: name)
    wrong = "\n".join(recompute(copied, DESIGN, **OPTIONS))
    for table in ("metrics.csv", "significance.csv", "effects.csv"):
        assert f"{table}: no row" in wrong
    assert "metrics.csv: row" in wrong
    assert "significance.csv: a row stands twice" in wrong
    assert "effects.csv: row" in wrong


def test_a_wrong_or_missing_query_is_found(copied):
    path = copied / "tables" / "per_query.parquet"
    table = read_table(path, PER_QUERY)
    spoilt = pl.when(pl.int_range(pl.len()) == 17).then(pl.col("value") + 0.5).otherwise(pl.col("value"))
    write_table(table.with_columns(spoilt)[:-1], path, PER_QUERY)
    assert len([line for line in recompute(copied, DESIGN, **OPTIONS) if line.startswith("per_query.parquet")]) == 2


def test_a_run_that_was_changed_afterwards_is_found(copied):
    path = copied / "runs" / "ml-cs" / "few" / "de-en" / "seed2.trec"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[12:]))
    wrong = recompute(copied, DESIGN, **OPTIONS)
    assert {line.split()[0] for line in wrong} >= {
        "metrics.csv",
        "per_query.parquet",
        "significance.csv",
        "effects.csv",
    }
    assert all("few" in line for line in wrong)


def test_a_table_that_is_missing_or_not_called_for_is_a_mismatch(copied):
    (copied / "tables" / "effects.csv").unlink()
    (copied / "tables" / "sweep.csv").touch()
    options = {name: value for name, value in OPTIONS.items() if name != "tables"}
    wrong = recompute(copied, DESIGN, **options)
    assert "effects.csv: no such table" in wrong
    assert "sweep.csv: the design calls for no such table" in wrong


def test_families_other_than_declared_are_found(finished_run):
    assert any(
        "not the setup family" in line for line in recompute(finished_run, replace(DESIGN, families="setup"), **OPTIONS)
    )
