"""When a run is killed: a seeded moment of a seeded job of every stage, as often as any other."""

from __future__ import annotations

import random
import signal
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
        return f"{self.job.name} at {self.share:.2f}"


def deal(undisturbed: Attempt, seed: int = SEED) -> list[list[Moment]]:
    """The moments of every run: stages in turn, so that each is hit nearly equally often and at most once in a run."""
    draw = random.Random(seed)
    turns = draw.sample(STAGES, len(STAGES))
    jobs = sorted(undisturbed.jobs, key=lambda job: job.name)
    by_stage = {stage: [job for job in jobs if job.stage == stage] for stage in STAGES}
    dealt = []
    for run in range(RUNS):
        stages = [turns[(KILLS * run + kill) % len(turns)] for kill in range(KILLS)]
        dealt.append([Moment(draw.choice(by_stage[stage]), draw.random()) for stage in stages])
    return dealt


class Killer:
    """Ends a run at whichever of its moments comes first, and knows which are left.

    Attributes:
        left: moments that have not come yet. finished: jobs that came to their end.
    """

    def __init__(self, moments: list[Moment], undisturbed: Attempt, number: signal.Signals = signal.SIGKILL) -> None:
        self.left, self._number = list(moments), number
        self._seconds = {job: (ran.ended or ran.began) - ran.began for job, ran in undisturbed.jobs.items()}
        self.finished: set[Job] = set()

    def kill(self, watched: Watched) -> Moment:
        """Let a run go on until a moment has come, end it there, and tell which it was.

        A job that ended before its moment hands it on to the next one of its stage; where there is none, the kill comes
        at once.
        """
        while watched.look():
            time.sleep(LOOK)
            for moment in list(self.left):
                if self._is_due(moment, watched.attempt):
                    self.finished |= watched.end(self._number).done
                    self.left.remove(moment)
                    return moment
        raise AssertionError(f"the run ended before all its kills; left: {', '.join(map(str, self.left))}")

    def _is_due(self, moment: Moment, attempt: Attempt) -> bool:
        """Whether its job, or where that is done any other of its stage, has run long enough."""
        done = self.finished | attempt.done
        stage = [job for job in self._seconds if job.stage == moment.job.stage and job not in done]
        pace = moment.share * self._pace(attempt)
        for job in [moment.job] if moment.job in stage else stage:
            ran = attempt.jobs.get(job)
            if ran is not None and time.monotonic() - ran.began >= self._seconds[job] * pace:
                return True
        return not stage

    def _pace(self, attempt: Attempt) -> float:
        """How many times as long jobs take now as they took undisturbed."""
        took = {job: ran.ended - ran.began for job, ran in attempt.jobs.items() if ran.ended is not None}
        expected = sum(self._seconds[job] for job in took)
        return sum(took.values()) / expected if expected else 1.0
