"""What a start knows of its jobs: it is kept for those who look at the run, and no mistake in an estimate ends it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from switchrank.config.load import checked_plan, read_yaml
from switchrank.config.plan import Plan
from switchrank.run.plan.jobs import graph_to_plan, job_graph, known_graph
from tests.conftest import ROOT, SMOKE, Workflow
from tests.smoke.test_triggers import copy_checkout
from tests.unit.planned import write_inputs

LEXICON = "results/mini/lexicons/gold/en-qaa.parquet"
BROKEN = {
    "run/plan/costs.py": "\nFORMULAS.clear()\n",
    "run/plan/estimate.py": "\ndef check_disk(*_):\n    raise ZeroDivisionError\n",
}
"""Lines that make an estimate unknown, or let it fail."""


def opened(config: Path) -> Plan:
    """The plan of the smoke config, or of a changed one."""
    return checked_plan(read_yaml(config), config, {}, [ROOT])


def test_a_whole_start_keeps_the_jobs_that_snakemake_tells_who_asks(finished, tmp_path, monkeypatch):
    plan = opened(SMOKE)
    monkeypatch.chdir(tmp_path)
    asked = [asdict(job) for job in job_graph(plan).jobs]
    monkeypatch.chdir(finished.folder)
    kept = known_graph(plan)
    assert kept is not None
    assert [asdict(job) for job in kept.jobs] == asked
    assert all(job.is_done for job in kept.jobs)


def test_nothing_of_a_finished_run_would_run_and_after_a_change_what_it_concerns(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(finished.folder)
    assert not [job.name for job in graph_to_plan(opened(SMOKE)).jobs if job.again]
    changed = tmp_path / "changed.yaml"
    changed.write_text(SMOKE.read_text().replace("evaluate: {", "evaluate: {correction: none, "))
    assert changed.read_text() != SMOKE.read_text()
    again = {job.name: job.again for job in graph_to_plan(opened(changed)).jobs if job.again}
    assert again.keys() >= {"evaluate/tables", "report/zip"}
    assert again["evaluate/tables"] == "params have changed since last execution"
    assert "train/zero-shot-en-en-seed1" not in again


@pytest.mark.parametrize("module", BROKEN)
def test_an_estimate_that_fails_ends_no_start(tmp_path, module):
    checkout, folder = tmp_path / "checkout", tmp_path / "run"
    folder.mkdir()
    config = write_inputs(folder)
    copy_checkout(checkout)
    file = checkout / "workflow/switchrank" / module
    file.write_text(file.read_text() + BROKEN[module])
    done = Workflow(folder, config, checkout).run(LEXICON, PYTHONPATH=str(checkout / "workflow"))
    assert (folder / LEXICON).exists()
    assert ("what this start needs is not known (ZeroDivisionError" in done.stdout) == (
        module == "run/plan/estimate.py"
    )
