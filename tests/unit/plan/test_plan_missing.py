"""A public file that was deleted from a finished run is told, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchrank.config.load import load_config
from switchrank.config.plan import Plan
from switchrank.plan.graph import job_graph
from switchrank.plan.missing import missing_files, missing_notice

ROOT = Path(__file__).parents[3]


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """The demo, all of whose files are there, and empty."""
    monkeypatch.chdir(tmp_path)
    plan = Plan(load_config(ROOT / "config/demo.yaml", {}), [ROOT])
    for job in job_graph(plan).jobs:
        for output in job.outputs:
            Path(output).parent.mkdir(parents=True, exist_ok=True)
            Path(output).touch()
    return plan


def test_a_whole_run_misses_nothing(plan):
    assert missing_notice(plan) == ""


def test_missing_public_files_are_told_in_one_line_with_a_command(plan):
    files = ["results/demo/tables/metrics.csv", "results/demo/models/ml-cs/xx-xx/seed1/model.safetensors"]
    for file in files:
        Path(file).unlink()
    Path("results/demo/instances/world/train.parquet").unlink()
    assert sorted(missing_files(plan)) == sorted(files)
    notice = missing_notice(plan)
    assert notice.startswith(f"{files[1]}: is missing (and 1 more): ")
    assert notice.endswith(f": snakemake {files[1]}")


def test_a_run_without_its_report_is_not_finished_and_misses_nothing(plan):
    Path("results/demo/tables/metrics.csv").unlink()
    Path("results/demo/report.zip").unlink()
    assert missing_notice(plan) == ""
