"""What the plan says of config/demo.yaml against what a run of it took: time of each stage, wall time, memory."""

from __future__ import annotations

import pytest
from tests.unit.planned_demo import CONFIG, WALL, estimated, leave_benchmarks, took, within


def measured(job):
    """Seconds and bytes of a job, if it was one of that run."""
    return took().get(str(job.benchmark).removeprefix("results/demo/benchmarks/").removesuffix(".tsv"))


@pytest.mark.parametrize(("calibrated", "factor"), [(False, 3.0), (True, 1.5)])
def test_wall_time_and_largest_job_of_the_demo_are_within_the_promised_factor(
    tmp_path, monkeypatch, calibrated, factor
):
    monkeypatch.chdir(tmp_path)
    leave_benchmarks(tmp_path)
    estimate = estimated(CONFIG, calibrated=calibrated)
    assert estimate.calibration.jobs == (len(took()) if calibrated else 0)
    assert within(factor, estimate.schedule.seconds, WALL)
    assert within(
        factor, max(cost.memory for cost in estimate.costs.values()), max(memory for _, memory in took().values())
    )


def test_the_time_of_every_stage_of_the_demo_is_within_a_factor_of_three(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    estimate = estimated(CONFIG, calibrated=False)
    assert not estimate.unknown
    timed = [job for job in estimate.graph.jobs if measured(job)]
    assert len(timed) == len(took())
    for stage in {job.stage for job in timed}:
        jobs = [job for job in timed if job.stage == stage]
        seconds = sum(estimate.costs[job].seconds for job in jobs)
        assert within(3.0, seconds, sum(measured(job)[0] for job in jobs)), stage
