"""Killed at any moment, a run goes on where it was and ends in the bytes of one that nothing happened to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import Workflow
from tests.kill.moments import RUNS, SEED, Killer, deal
from tests.kill.watched import Attempt, Job, started

pytestmark = pytest.mark.slow


def left_behind(folder: Path) -> list[str]:
    """Unfinished files and checkpoints below a run."""
    return [str(path) for path in (folder / "results").rglob(".*")]


def done_twice(attempts: list[Attempt]) -> set[Job]:
    """Jobs that were begun again although they had come to their end."""
    twice, done = set(), set()
    for attempt in attempts:
        twice |= done & attempt.jobs.keys()
        done |= attempt.done
    return twice


@pytest.mark.parametrize("run", [pytest.param(run, marks=pytest.mark.long if run else []) for run in range(RUNS)])
def test_a_run_killed_five_times_ends_in_the_same_bytes_and_does_nothing_twice(undisturbed, tmp_path, run):
    workflow = Workflow(tmp_path / "run", undisturbed.workflow.config)
    workflow.folder.mkdir()
    moments = deal(undisturbed.attempt)[run]
    killer = Killer(moments, undisturbed.attempt)
    attempts, hits = [], Counter()
    for number in range(len(moments)):
        with started(workflow, tmp_path / f"printed-{number}.log") as watched:
            moment, attempt = killer.kill(watched)
        attempts.append(attempt)
        hits.update({job.stage for job in attempt.hit})
        print(f"run {run}, seed {SEED}: {moment}; hit {', '.join(sorted(job.log for job in attempt.hit)) or 'no job'}")
    with started(workflow, tmp_path / "printed.log") as watched:
        attempts.append(watched.wait())
    print(f"run {run}: hits by stage {dict(hits)}")
    assert attempts[-1].code == 0, (tmp_path / "printed.log").read_text()[-8000:]
    assert undisturbed.differences(workflow.folder) == []
    assert done_twice(attempts) == set()
    assert left_behind(workflow.folder) == []
