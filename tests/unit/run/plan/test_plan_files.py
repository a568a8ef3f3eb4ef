"""Files of a run that were deleted or cut short since they were made are told, and nothing else is."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import polars as pl
import pytest

from switchrank.config.load import load_plan
from switchrank.core.errors import UserError
from switchrank.run.plan.files import check_outputs, missing_notice
from switchrank.run.plan.jobs import job_graph, keep_at_start

ROOT = Path(__file__).parents[4]
TOKENS = "results/demo/tokens/world/unicode/documents/tokens.parquet"


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """The demo, all of whose files are there; its tables hold one row and its other files nothing."""
    monkeypatch.chdir(tmp_path)
    plan = load_plan(ROOT / "config/demo.yaml", {})
    pl.DataFrame({"a": [1]}).write_parquet("table")
    content = Path("table").read_bytes()
    jobs = job_graph(plan).jobs
    keep_at_start(plan, [asdict(job) for job in jobs])
    for job in jobs:
        for output in map(Path, job.outputs):
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_bytes(content if output.suffix == ".parquet" else b"")
    return plan


def test_a_whole_run_misses_nothing(plan):
    assert missing_notice(plan) == ""
    check_outputs(plan)


def test_missing_public_files_are_told_in_one_line_with_a_command(plan):
    files = ["results/demo/tables/metrics.csv", "results/demo/models/ml-cs/xx-xx/seed1/model.safetensors"]
    for file in files:
        Path(file).unlink()
    Path("results/demo/instances/world/train.parquet").unlink()
    notice = missing_notice(plan)
    assert notice.startswith(f"{files[1]}: is missing (and 1 more): ")
    assert notice.endswith(f": snakemake {files[1]}")
    Path(files[1]).touch()
    assert missing_notice(plan).startswith(f"{files[0]}: is missing: ")
    check_outputs(plan)


def test_without_a_note_of_its_jobs_nothing_is_missed(plan):
    Path("results/demo/tables/metrics.csv").unlink()
    Path(".snakemake/switchrank/demo.jobs.json").unlink()
    assert missing_notice(plan) == ""


def test_a_table_behind_a_link_is_looked_at_and_one_that_is_being_made_is_not(plan, tmp_path):
    folder = Path("results/demo/tokens")
    folder.rename(tmp_path / "disk")
    folder.symlink_to(tmp_path / "disk")
    hidden = folder / ".unfinished-a/tokens.parquet"
    hidden.parent.mkdir()
    hidden.write_bytes(b"PAR1")
    check_outputs(plan)
    Path(TOKENS).write_bytes(b"PAR1")
    with pytest.raises(UserError, match="is cut short"):
        check_outputs(plan)


def test_a_run_without_its_report_is_not_finished_and_misses_nothing(plan):
    Path("results/demo/tables/metrics.csv").unlink()
    Path("results/demo/report.zip").unlink()
    assert missing_notice(plan) == ""


@pytest.mark.parametrize("left", [0, 1, 4, 8, 100, -1])
def test_a_parquet_cut_short_anywhere_is_one_line(plan, left):
    Path(TOKENS).write_bytes(Path(TOKENS).read_bytes()[:left])
    with pytest.raises(UserError) as error:
        check_outputs(plan)
    assert str(error.value) == f"{TOKENS}: is cut short or no Parquet file: delete it and run again"
