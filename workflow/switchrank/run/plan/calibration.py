"""What earlier jobs took, from Snakemake's benchmark files, corrects what jobs of their kind are estimated to take."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from switchrank.run.plan.costs import Cost
from switchrank.run.plan.jobs import Job

PRIOR = 10.0
"""Seconds that count as estimated well: a few small jobs, which mostly start a process, say little about large ones of
their kind."""


class Measured(NamedTuple):
    """A benchmark file: seconds, and the most memory in bytes (0 where the job was too short to be seen)."""

    seconds: float
    memory: float


class Observation(NamedTuple):
    """A job that ran: what was estimated, and what it took."""

    job: Job
    cost: Cost
    measured: Measured


@dataclass(frozen=True)
class Calibration:
    """By kind of job, on a GPU or not, how much longer and how much more memory than estimated.

    Attributes:
        seconds: all seconds measured by all estimated, so that long jobs count most; :data:`PRIOR` is added to both.
        memory: the largest ratio, and no less than 1, since too little memory ends a job.
        jobs: how many jobs were measured.
    """

    seconds: Mapping[tuple[str, bool], float] = field(default_factory=dict)
    memory: Mapping[tuple[str, bool], float] = field(default_factory=dict)
    jobs: int = 0

    def correct(self, job: Job, cost: Cost) -> Cost:
        """A cost as earlier jobs of its kind suggest."""
        seconds, memory = (ratios.get(kind_of(job), 1.0) for ratios in (self.seconds, self.memory))
        return replace(cost, seconds=cost.seconds * seconds, memory=cost.memory * memory)


def kind_of(job: Job) -> tuple[str, bool]:
    """What jobs share that take as much longer than estimated: their kind, and whether they run on a GPU."""
    return job.kind, job.gpus > 0


def read_benchmark(path: str | Path) -> Measured | None:
    """The first row of a benchmark file; None where there is none that can be read."""
    try:
        with Path(path).open(encoding="utf-8", newline="") as stream:
            row = next(csv.DictReader(stream, delimiter="\t"), {})
        memory = row.get("max_rss") or "0"
        return Measured(float(row["s"]), 2**20 * (float(memory) if memory not in ("-", "NA") else 0.0))
    except (OSError, ValueError, KeyError):
        return None


def calibrate(observations: Iterable[Observation]) -> Calibration:
    """The correction that the observations ask for."""
    by_kind: defaultdict[tuple[str, bool], list[Observation]] = defaultdict(list)
    for one in observations:
        by_kind[kind_of(one.job)].append(one)
    seconds, memory = {}, {}
    for kind, found in by_kind.items():
        measured = sum(one.measured.seconds for one in found) + PRIOR
        seconds[kind] = measured / (sum(one.cost.seconds for one in found) + PRIOR)
        memory[kind] = max(1.0, *(one.measured.memory / one.cost.memory for one in found))
    return Calibration(seconds, memory, sum(map(len, by_kind.values())))
