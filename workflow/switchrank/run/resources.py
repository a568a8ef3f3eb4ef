"""How much memory and run time a job asks a scheduler for: what it is estimated to cost on a slow machine, and more,
since estimates are right within a factor of 3. A job that is killed for asking too little is tried again with twice as
much.
"""

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from switchrank.config.plan import Plan
from switchrank.run.plan.costs import Cost, Costs
from switchrank.run.plan.jobs import Job
from switchrank.run.plan.machine import Machine, size_on_disk
from switchrank.run.plan.sizes import Sizes

SEARCH_THREADS = 4
"""CPU threads that a search for nearest neighbours asks for."""
SLOW = Machine(gflops=25, cores=10_000, gpu_tflops=60, bf16=False)
"""The slowest machine that a job may meet; it has as many cores as any job asks for."""
_TIMES_MEMORY, _TIMES_SECONDS = 2.0, 3.0
"""How far a request lies above an estimate."""
_MB, _MINUTES = 2000.0, 15.0
"""Asked for in any case: buffers and libraries, and the time to find and open files on a busy disk."""
_DAY = 24 * 60
"""Minutes of a day: the limit of many partitions."""


@dataclass(frozen=True)
class Need:
    """What one job needs: memory in MB, run time in minutes, and the longest time that is worth asking for."""

    mem_mb: float
    minutes: float
    longest: float = math.inf

    def request(self, attempt: int) -> tuple[int, int]:
        """What an attempt (from 1) asks for: whole hundreds of MB and whole minutes, twice as much each time."""
        growth = 2 ** (attempt - 1)
        return math.ceil(self.mem_mb * growth / 100) * 100, math.ceil(min(self.minutes * growth, self.longest))


UNKNOWN = Need(8000, 240)
"""Asked for where the cost of a job is unknown."""


class Needs:
    """What the jobs of a run need."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._costs: Costs | None = None

    def of(self, job: Job) -> Need:
        """What a job needs, or :data:`UNKNOWN`; FileNotFoundError while an input is missing."""
        for file in job.inputs:
            os.stat(file)
        if self._costs is None or self._costs.sizes.assumed:  # what was not there before may be there by now
            self._costs = Costs(self._plan, Sizes(self._plan), SLOW)
        cost = self._costs.of(job)
        return need_of(cost, job.kind) if cost else UNKNOWN


def need_of(cost: Cost, kind: str) -> Need:
    """What a job needs, by its cost on a slow machine and its kind.

    Training resumes where it was stopped, so it never asks for more than a day; ranking begins again, so it asks for
    more than a day only after a day was too short.
    """
    memory = _MB + _TIMES_MEMORY * cost.memory / 1e6
    minutes = _MINUTES + _TIMES_SECONDS * cost.seconds / 60
    return Need(memory, min(minutes, _DAY) if kind == "rank" else minutes, _DAY if kind == "train" else math.inf)


def are_small(files: Iterable[str | Path]) -> bool:
    """Whether files together are so small that a job on them takes seconds; never so if one is missing."""
    try:
        return sum(map(size_on_disk, files)) < 100e6
    except OSError:
        return False
