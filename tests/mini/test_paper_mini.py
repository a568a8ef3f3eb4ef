"""The published experiment in small, from nothing to its report: every system, pair, pool and sweep has its numbers."""

from __future__ import annotations

import zipfile

import polars as pl
import pytest

from switchrank.config.load import load_config
from switchrank.config.plan import Plan
from switchrank.evaluate.significance import SAME
from switchrank.formats.tables import METRICS, SIGNIFICANCE, SWEEP, read_table
from tests.conftest import ROOT, Workflow
from tests.recompute import read_design, recompute

CONFIG = ROOT / "config" / "paper-mini.yaml"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The folder of the run, made to its end."""
    workflow = Workflow(tmp_path_factory.mktemp("mini"), CONFIG)
    workflow.run()
    return workflow.folder / "results" / "paper-mini"


def test_every_planned_run_has_a_number_of_every_metric(results):
    plan = Plan(load_config(CONFIG, {}), [ROOT])
    planned = {
        (run.system, testset, run.pair.query, run.pair.document, run.seed, metric)
        for testset in plan.config.testsets
        for run in plan.runs(testset)
        for metric in plan.config.evaluate.metrics
    }
    metrics = read_table(results / "tables" / "metrics.csv", METRICS)
    rows = metrics.select("system", "testset", "query_lang", "doc_lang", "seed", "metric").rows()
    assert set(rows) == planned
    assert len(rows) == len(planned)
    assert metrics["value"].is_between(0, 1).all()
    assert set(metrics["setup"]) == {"moir", "clir", "mlir"}
    assert set(metrics["seen"]) == {"both", "query", "document", "none"}


def test_every_table_is_what_other_libraries_make_of_the_runs(results):
    assert recompute(results, read_design(CONFIG, ROOT)) == []


def test_every_system_is_tested_against_the_baseline_with_both_tests(results):
    tested = read_table(results / "tables" / "significance.csv", SIGNIFICANCE)
    assert set(tested["test"]) == {"t", "fisher"}
    assert set(tested["correction"]) == {"bonferroni"}
    systems = {"fine-tuning", "bl-cs", "ml-cs", "wiki-cs", "zero-shot-tt", "ml-cs-tt"}
    assert systems <= set(tested["system"])
    itself = pl.col("family") == SAME
    corrected = pl.when(itself).then(1.0).otherwise((pl.col("p_value") * pl.col("family_size")).clip(upper_bound=1))
    assert tested.filter((pl.col("p_corrected") - corrected).abs() > 1e-12).is_empty()
    assert tested.filter(itself)["family_size"].unique().to_list() == [0]


def test_sweeps_of_p_source_and_criterion_have_all_their_values(results):
    sweep = read_table(results / "tables" / "sweep.csv", SWEEP)
    values = sweep.group_by("sweep").agg(pl.col("x").unique().sort()).sort("sweep").rows()
    assert values == [
        ("criterion", ["csls", "nn"]),
        ("p", ["0.25", "0.5", "0.75", "1.0"]),
        ("source", ["clwe", "titles"]),
    ]


def test_the_report_is_there_with_the_pictures_of_all_three_setups(results):
    with zipfile.ZipFile(results / "report.zip") as archive:
        text = " ".join(archive.namelist())
    for picture in ("mrr-mmarco.svg", "mrr-mmarco-mlir6.svg", "mrr-mmarco-mlir14.svg", "sweep-mmarco.svg"):
        assert picture in text
