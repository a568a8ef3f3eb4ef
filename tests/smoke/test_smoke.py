"""The whole DAG on a very small world: what comes out, what a second run does, and what a kill costs."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import polars as pl
import pytest

from switchrank.formats.tables import (
    ABLATION,
    BIAS,
    CORPUS,
    COVERAGE,
    EFFECTS,
    EQUIVALENCE,
    LEXICON,
    METRICS,
    OVERLAP,
    PER_QUERY,
    QUALITY,
    SETUPS,
    SHIFT,
    SIGNIFICANCE,
    SWEEP,
    TESTSETS,
    WARNINGS,
    read_table,
)
from switchrank.formats.trec import read_run
from tests.conftest import ROOT, SMOKE, Workflow
from tests.promised import promised
from tests.recompute import PEER, read_design, recompute

pytestmark = pytest.mark.slow
HOLDER = """
import sys
from switchrank.core.locks import hold_run
lock = hold_run("smoke", ".snakemake")
print("held", flush=True)
sys.stdin.read()
"""
PAIRS = {"en-en", "en-qaa", "qac-qaa", "qad-en"}


def test_public_files_have_their_names_and_columns(finished):
    results = finished.folder / "results" / "smoke"
    assert read_table(results / "lexicons/clwe/en-qaa.parquet", LEXICON).height
    assert read_table(results / "corpora/ml-cs/xx-xx/train-00000.parquet", CORPUS).height
    unwritten = {"on-the-fly.json", "sample.parquet", "dev.parquet", "stats.json"}
    assert {file.name for file in (results / "corpora/wiki-cs/xx-xx").iterdir()} == unwritten
    assert read_table(results / "corpora/wiki-cs/xx-xx/sample.parquet", CORPUS).height
    assert read_table(results / "tables/metrics.csv", METRICS).height
    assert read_table(results / "tables/per_query.parquet", PER_QUERY).height
    assert read_table(results / "tables/significance.csv", SIGNIFICANCE).height
    quality = read_table(results / "tables/lexicon_quality.csv", QUALITY)
    assert quality["lexicon"].to_list() == ["clwe", "titles", "gold", "clwe-degrade-0-5"]
    assert quality.filter(quality["lexicon"] == "gold")["p_at_1"].to_list() == [1.0]
    with (results / "tables/metrics.csv").open() as stream:
        assert next(csv.reader(stream)) == list(METRICS)


def test_every_system_has_the_runs_it_can_have(finished):
    runs = finished.folder / "results" / "smoke" / "runs"
    for testset in ("world", "own"):
        for system in ("random", "bm25", "zero-shot", "ml-cs", "wiki-cs", "gold-cs", "ml-cs-degrade-0-5"):
            assert {folder.name for folder in (runs / system / testset).iterdir()} == PAIRS
        assert {folder.name for folder in (runs / "ml-cs-tt" / testset).iterdir()} == PAIRS - {"qad-en"}
        for system in ("bl-cs", "fine-tuning"):
            assert {folder.name for folder in (runs / system / testset).iterdir()} == {"en-qaa"}
    for testset in ("world-mlir3", "every-mlir4"):
        assert {folder.name for folder in (runs / "ml-cs" / testset).iterdir()} == {"en-xx", "xx-en", "xx-xx"}
        assert not (runs / "ml-cs-tt" / testset).exists()
    assert {folder.name for folder in (runs / "zs-8" / "world").iterdir()} == {"en-en", "en-qaa"}


def test_each_ranking_says_how_it_scored(finished):
    records = finished.folder / "results" / "smoke" / "rank"
    said = json.loads((records / "zero-shot-en-en-world-seed1.json").read_text())
    assert (said["device"], said["precision"], said["truncation"]) == ("cpu", "fp32", "longest_first")
    runs = {file.stem for file in (finished.folder / "results" / "smoke" / "benchmarks" / "rank").glob("*-seed*.tsv")}
    assert {file.stem for file in records.iterdir()} >= runs


def test_a_row_without_examples_has_the_scores_of_its_start_and_one_with_examples_others(finished):
    results = finished.folder / "results" / "smoke"
    pair = {"testset": "world", "query_lang": "en", "doc_lang": "qaa", "metric": "map"}
    start = read_table(results / "tables/metrics.csv", METRICS).filter(system="zero-shot", **pair)["value"].item()
    rows = read_table(results / "tables/ablation.csv", ABLATION).filter(**pair)
    assert rows.filter(ablation="zs-0")["value"].item() == start
    scores = [
        read_run(results / "runs" / system / "world/en-qaa/seed1.trec")["score"].to_list()
        for system in ("zero-shot", "zs-8")
    ]
    assert scores[0] != scores[1]


def test_every_number_of_the_tables_is_what_other_tools_make_of_the_runs(finished):
    assert PEER == "ir_measures"
    found = recompute(finished.folder / "results" / "smoke", read_design(SMOKE, ROOT))
    assert found == []


def test_the_tables_of_the_whole_experiment_are_filled(finished):
    tables = finished.folder / "results" / "smoke" / "tables"
    bias = read_table(tables / "bias.csv", BIAS)
    told = {"rank_distance", "max_rank", "own_language_top10", "own_language_pool", "rankc", "rank_correlation"}
    assert set(bias["measure"]) == told
    assert set(bias.filter(pl.col("measure") == "rank_distance")["testset"]) == {"every-mlir4"}
    sweep = read_table(tables / "sweep.csv", SWEEP)
    assert sweep["x"].unique(maintain_order=True).to_list() == ["0", "0.5"]
    quality = dict(sweep.select("x", "p_at_1").unique().rows())
    assert quality["0"] > quality["0.5"] > 0
    ablation = read_table(tables / "ablation.csv", ABLATION)
    assert set(ablation.select("ablation", "examples").rows()) == {("zs-0", 0), ("zs-8", 8), ("ml-0", 0)}
    for name, schema in (
        ("effects", EFFECTS),
        ("setups", SETUPS),
        ("testsets", TESTSETS),
        ("coverage", COVERAGE),
        ("warnings", WARNINGS),
        ("overlap", OVERLAP),
        ("shift", SHIFT),
        ("equivalence", EQUIVALENCE),
    ):
        assert read_table(tables / f"{name}.csv", schema).height, name


def test_candidates_are_equally_many_in_every_pair_and_of_a_sample_of_queries(finished):
    runs = finished.folder / "results" / "smoke" / "runs" / "ml-cs" / "own"
    counts = {pair: read_run(runs / pair / "seed1.trec").group_by("qid").len()["len"].to_list() for pair in PAIRS}
    assert {tuple(count) for count in counts.values()} == {(5,) * 10}


def test_seen_and_unseen_languages_are_marked(finished):
    metrics = read_table(finished.folder / "results" / "smoke" / "tables" / "metrics.csv", METRICS)
    seen = dict(metrics.select(pl.concat_str("query_lang", "doc_lang", separator="-"), "seen").unique().rows())
    single = {"en-en": "both", "en-qaa": "both", "qac-qaa": "both", "qad-en": "document"}
    assert {pair: value for pair, value in seen.items() if "xx" not in pair} == single
    testsets = dict(metrics.filter(pl.col("query_lang") == "xx").select("testset", "seen").unique().rows())
    assert testsets["world-mlir3"] == "both"
    assert testsets["every-mlir4"] != "both"


def test_all_systems_start_from_the_same_bytes_and_get_the_same_steps(finished):
    records = [json.loads(file.read_text()) for file in (finished.folder / "results/smoke/models").rglob("train.json")]
    assert len(records) == 7
    assert len({json.dumps(record["params"], sort_keys=True) for record in records}) == 1


def test_the_report_holds_pictures_and_tables_with_labels(finished):
    with zipfile.ZipFile(finished.folder / "results" / "smoke" / "report.zip") as archive:
        names = archive.namelist()
        text = "".join(archive.read(name).decode() for name in names if name.endswith((".html", ".js")))
    assert any(name.endswith("report.html") for name in names)
    for item in ("mrr-world.svg", "gain-world-ml-cs.svg", "lexicon-quality.svg", "switched-sentences.html"):
        assert any(name.endswith(item) for name in names) or item in text, item
    assert "test set" in text


def test_provenance_names_no_folder_of_this_machine(finished):
    text = (finished.folder / "results" / "smoke" / "provenance.json").read_text()
    assert str(Path.home()) not in text
    assert str(ROOT) not in text
    assert json.loads(text)["config"]["run"] == "smoke"


def test_a_second_run_has_nothing_to_do(finished):
    assert "Nothing to be done" in finished.run().stdout


def test_what_ran_is_the_given_config_and_nothing_of_the_default(finished):
    import yaml

    ran = json.loads((finished.folder / "results" / "smoke" / "provenance.json").read_text())["config"]
    assert ran == yaml.safe_load(finished.config.read_text())


def test_a_second_snakemake_on_a_run_that_is_being_made_says_so_in_one_line(tmp_path):
    workflow = Workflow(tmp_path)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    first = subprocess.Popen([sys.executable, "-c", HOLDER], cwd=tmp_path, **pipes)
    try:
        assert first.stdout.readline() == "held\n"
        second = workflow.run(check=False)
        assert second.returncode == 2
        assert second.stdout.count("another Snakemake makes this run") == 1
        assert f"process {first.pid}" in second.stdout
        assert not (tmp_path / "results").exists()
        assert workflow.run("-n").returncode == 0
    finally:
        first.kill()
        first.communicate()


def checkpoints_of(models: Path) -> set[str]:
    """Folders of the checkpoints that are complete; `os.walk` minds no folder that goes away while it looks."""
    return {folder for folder, _, files in os.walk(models) if "COMPLETE" in files}


def kill_during_training(workflow: Workflow, checkpoints: int) -> None:
    """Start the workflow and kill its whole process tree once that many checkpoints more have been completed."""
    process = subprocess.Popen(
        workflow.command(), cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    models = workflow.folder / "results" / "smoke" / "models"
    before = checkpoints_of(models)
    deadline = time.monotonic() + 300
    while len(checkpoints_of(models) - before) < checkpoints:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, "no checkpoint appeared"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.long
def test_a_run_killed_three_times_during_training_ends_in_the_same_bytes(finished, tmp_path):
    workflow = Workflow(tmp_path)
    for _ in range(3):
        kill_during_training(workflow, 1)
    workflow.run()
    expected, found = promised(finished.folder), promised(tmp_path)
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []
