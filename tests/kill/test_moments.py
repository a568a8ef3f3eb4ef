"""The moments at which runs are killed: equal for equal seeds, and spread over all stages."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.kill.moments import KILLS, RUNS, STAGES, deal
from tests.kill.watched import Attempt, Job, Ran


@pytest.fixture
def undisturbed() -> Attempt:
    """Three jobs of every stage, one after the other."""
    logs = [f"results/smoke/logs/{stage}/{name}.log" for stage in STAGES for name in "abc"]
    return Attempt({Job("rule", log): Ran(number, number + 1) for number, log in enumerate(logs)}, 0)


def test_every_stage_has_its_turn_and_none_twice_in_a_run(undisturbed):
    dealt = deal(undisturbed)
    assert [len(moments) for moments in dealt] == [KILLS] * RUNS
    stages = [[moment.job.stage for moment in moments] for moments in dealt]
    assert all(len(set(run)) == KILLS for run in stages)
    counts = Counter(stage for run in stages for stage in run)
    assert set(counts) == set(STAGES)
    assert set(counts.values()) == {4, 5}


def test_a_seed_gives_the_same_moments_again_and_another_gives_others(undisturbed):
    assert deal(undisturbed, 1) == deal(undisturbed, 1)
    assert deal(undisturbed, 1) != deal(undisturbed, 2)


@pytest.mark.parametrize(
    ("log", "stage"),
    [("world", "sources"), ("provenance", "report"), ("evaluate/world", "evaluate"), ("corpus/ml-cs-xx-xx", "corpus")],
)
def test_the_stage_of_a_job_is_that_of_its_log(log, stage):
    assert Job("rule", f"results/smoke/logs/{log}.log").stage == stage
