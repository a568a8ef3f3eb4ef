"""What would be made again counts as work that is left, though the files are there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.planned import jobs_of_config, write_inputs

from switchrank.config.load import load_plan
from switchrank.run.plan.cli import as_json, as_text
from switchrank.run.plan.estimate import estimate_run
from switchrank.run.plan.jobs import Graph
from switchrank.run.plan.machine import Machine

MACHINE = Machine(10.0, 1)


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """The plan and the jobs of a run that has its lexicon."""
    monkeypatch.chdir(tmp_path)
    plan = load_plan(write_inputs(tmp_path), {})
    lexicon = tmp_path / "results/mini/lexicons/gold/en-qaa.parquet"
    lexicon.parent.mkdir(parents=True)
    lexicon.touch()
    return plan, jobs_of_config()


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("params have changed since last execution", "params changed"),
        ("updated input files, params have changed since last execution", "inputs are newer"),
        ("input files updated by another job", "what they read is made again"),
        ("incomplete output files", "incomplete output files"),
    ],
)
def test_a_job_that_would_run_again_is_not_done(planned, told, reason):
    plan, graph = planned
    kept = estimate_run(plan, graph, MACHINE)
    assert [job.name for job in kept.done] == ["lexicon/gold-qaa"]
    jobs = [replace(job, again=told) if job.name in ("lexicon/gold-qaa", "sources/docs") else job for job in graph.jobs]
    again = estimate_run(plan, Graph(jobs), MACHINE)
    assert not again.done
    assert again.remaining.seconds > kept.remaining.seconds
    assert f"to run again: 1 jobs whose outputs are there (1 {reason})" in as_text(again)
    shown = {job["name"]: job["again"] for job in as_json(again)["jobs"]}
    assert shown["lexicon/gold-qaa"] == reason
    assert shown["sources/docs"] is None
