"""Ended at any moment, a run goes on where it was and ends in the bytes of one that nothing happened to."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest

from switchrank.core.ownership import RECORD
from tests.conftest import Workflow
from tests.kill.conftest import Undisturbed
from tests.kill.moments import KILLS, RUNS, SEED, STAGES, Killer, deal
from tests.kill.watched import Attempt, Job, started

pytestmark = pytest.mark.slow
TRIED: set[int] = set()
"""The runs that were killed so far."""
HITS: dict[int, Counter[str]] = {}
"""Of each of them that survived: how often a job of a stage was running."""


def left_behind(folder: Path) -> list[str]:
    """Unfinished files and checkpoints below a run; what folders tell of themselves belongs there."""
    return [str(path) for path in (folder / "results").rglob(".*") if path.name != RECORD]


def done_twice(attempts: list[Attempt]) -> set[Job]:
    """Jobs that were begun again although they had come to their end."""
    twice: set[Job] = set()
    done: set[Job] = set()
    for attempt in attempts:
        twice |= done & attempt.jobs.keys()
        done |= attempt.done
    return twice


def survives(undisturbed: Undisturbed, folder: Path, run: int, number: signal.Signals) -> Counter[str]:
    """End a run at each of its moments, let it go on to its end, and compare; the stages that were hit."""
    workflow = Workflow(folder / "run", undisturbed.workflow.config)
    workflow.folder.mkdir()
    moments = deal(undisturbed.attempt)[run]
    killer = Killer(moments, undisturbed.attempt, number)
    attempts: list[Attempt] = []
    told = []
    for attempt in range(len(moments)):
        with started(workflow, folder / f"printed-{attempt}.log") as watched:
            moment = killer.kill(watched)
        attempts.append(watched.attempt)
        stages = sorted({job.stage for job in watched.attempt.hit})
        told.append(f"{moment} (hit {' and '.join(stages) or 'no job'})")
    print(f"\nseed {SEED}, run {run + 1} of {RUNS}: {number.name} in {', '.join(told)}", end="", flush=True)
    with started(workflow, folder / "printed.log") as watched:
        attempts.append(watched.wait())
    assert watched.attempt.code == 0, (folder / "printed.log").read_text()[-8000:]
    assert undisturbed.differences(workflow.folder) == []
    assert done_twice(attempts) == set()
    assert left_behind(workflow.folder) == []
    print(": same bytes, nothing done twice", flush=True)
    return Counter(job.stage for attempt in attempts for job in attempt.hit)


@pytest.mark.parametrize("run", [pytest.param(run, marks=pytest.mark.long if run else []) for run in range(RUNS)])
def test_a_run_killed_five_times_ends_in_the_same_bytes_and_does_nothing_twice(undisturbed, tmp_path, run):
    TRIED.add(run)
    HITS[run] = survives(undisturbed, tmp_path, run, signal.SIGKILL)


@pytest.mark.long
def test_over_all_runs_every_stage_was_hit_at_least_three_times():
    hits = sum(HITS.values(), Counter())
    survived = f"{KILLS * len(HITS)} of {KILLS * RUNS}"
    print(f"\nseed {SEED}: {survived} kills ended in the same bytes; hits by stage: {dict(hits)}", flush=True)
    if len(TRIED) < RUNS:
        pytest.skip(f"only {len(TRIED)} of {RUNS} runs were asked for: hits are counted over all")
    assert HITS.keys() == TRIED
    assert [stage for stage in STAGES if hits[stage] < 3] == []


@pytest.mark.long
def test_a_run_asked_to_end_five_times_ends_in_the_same_bytes_and_does_nothing_twice(undisturbed, tmp_path):
    survives(undisturbed, tmp_path, 0, signal.SIGTERM)
