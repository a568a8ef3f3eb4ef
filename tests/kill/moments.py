"""When a run is killed: a seeded moment of a seeded job of every stage, as often as any other."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from tests.kill.watched import LOOK, Attempt, Job, Watched

RUNS = 8
KILLS = 5
"""Kills of each run, in as many different stages."""
SEED = 20
STAGES = ("sources", "embeddings", "lexicon", "corpus", "train", "rank", "evaluate", "ablation", "report")


@dataclass(frozen=True)
class Moment:
    """A kill that is due.

    Attributes:
        job: the job to hit.
        share: how much of it is done by then, as a share of the time it took undisturbed.
    """

    job: Job
    share: float

    def __str__(self) -> str:
        return f"{self.job.log.split('/', 3)[3]} at {self.share:.2f}"


def deal(undisturbed: Attempt, seed: int = SEED) -> list[list[Moment]]:
    """The moments of every run: stages in turn, so that each is hit nearly equally often and at most once in a run."""
    draw = random.Random(seed)
    turns = draw.sample(STAGES, len(STAGES))
    by_stage = {stage: [job for job in undisturbed.jobs if job.stage == stage] for stage in STAGES}
    dealt = []
    for run in range(RUNS):
        stages = [turns[(KILLS * run + kill) % len(turns)] for kill in range(KILLS)]
        dealt.append([Moment(draw.choice(by_stage[stage]), draw.random()) for stage in stages])
    return dealt


class Killer:
    """Kills a run at whichever of its moments comes first, and knows which are left."""

    def __init__(self, moments: list[Moment], undisturbed: Attempt) -> None:
        self.left = list(moments)
        self._seconds = {job: (ran.ended or ran.began) - ran.began for job, ran in undisturbed.jobs.items()}
        self._all = list(undisturbed.jobs)
        self.finished: set[Job] = set()

    def kill(self, watched: Watched) -> tuple[Moment, Attempt]:
        """Let a run go on until a moment has come, and kill it there.

        A job that was faster than undisturbed hands its moment to the next one of its stage; the last one of a stage
        is not waited for: the kill comes at its end.
        """
        while watched.look():
            time.sleep(LOOK)
            for moment in list(self.left):
                if self._is_due(moment, watched.attempt):
                    attempt = watched.end()
                    self.finished |= attempt.done
                    self.left = [other for other in self.left if other.job.stage != moment.job.stage]
                    return moment, attempt
        raise AssertionError(f"the run ended before all its kills; left: {', '.join(map(str, self.left))}")

    def _is_due(self, moment: Moment, attempt: Attempt) -> bool:
        """Whether a job of the moment's stage has run long enough."""
        done = self.finished | attempt.done
        open_jobs = [job for job in self._all if job.stage == moment.job.stage and job not in done]
        if not open_jobs:
            return True
        job = moment.job if moment.job in open_jobs else open_jobs[0]
        ran = attempt.jobs.get(job)
        return ran is not None and time.monotonic() - ran.began >= moment.share * self._seconds[job] * self._pace(
            attempt
        )

    def _pace(self, attempt: Attempt) -> float:
        """How many times as long jobs take now as they took undisturbed."""
        took = {job: ran.ended - ran.began for job, ran in attempt.jobs.items() if ran.ended is not None}
        expected = sum(self._seconds[job] for job in took)
        return sum(took.values()) / expected if expected else 1.0
