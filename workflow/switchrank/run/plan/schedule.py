"""When jobs run: wall time on so many cores, memory in use at once, and the critical path."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from switchrank.run.plan.costs import Cost
from switchrank.run.plan.jobs import Graph, Job
from switchrank.run.plan.machine import Machine

BETWEEN = 0.3
"""Seconds that Snakemake takes to begin a job and to see its end."""


@dataclass(frozen=True)
class Schedule:
    """How a run would go.

    Attributes:
        seconds: wall time. memory: bytes in use at the busiest moment.
        path: the critical path: jobs that wait for each other and take longest, first to last.
        path_seconds: their time, which no number of cores shortens.
    """

    seconds: float
    memory: float
    path: Sequence[Job]
    path_seconds: float


def plan_schedule(
    graph: Graph, costs: Mapping[Job, Cost], machine: Machine, *, done: frozenset[Job] = frozenset()
) -> Schedule:
    """The schedule of the jobs that are not ``done``: a free core takes the job that most time depends on."""
    jobs = [job for job in graph.jobs if job not in done]
    path, behind = _critical(graph, jobs, costs)
    seconds, memory = _simulate(graph, costs, behind, machine)
    return Schedule(seconds, memory, path, sum(costs[job].seconds + BETWEEN for job in path))


def _critical(graph: Graph, jobs: Sequence[Job], costs: Mapping[Job, Cost]) -> tuple[list[Job], dict[Job, float]]:
    """The critical path, and for each job the seconds from its start to the end of all that waits for it."""
    behind = dict.fromkeys(jobs, 0.0)
    after: dict[Job, Job] = {}
    for job in reversed(jobs):
        behind[job] += costs[job].seconds + BETWEEN
        for need in graph.needs(job):
            if need in behind and behind[job] > behind[need]:
                behind[need], after[need] = behind[job], job
    if not jobs:
        return [], behind
    path = [max(jobs, key=lambda job: behind[job])]
    while path[-1] in after:
        path.append(after[path[-1]])
    return path, behind


def _simulate(
    graph: Graph, costs: Mapping[Job, Cost], behind: Mapping[Job, float], machine: Machine
) -> tuple[float, float]:
    """Wall time and the most memory in use, of the jobs that ``behind`` has."""
    missing: dict[Job, int] = {}
    waiting: dict[Job, list[Job]] = {job: [] for job in behind}
    for job in behind:
        needs = [need for need in graph.needs(job) if need in behind]
        missing[job] = len(needs)
        for need in needs:
            waiting[need].append(job)
    order = {job: number for number, job in enumerate(sorted(behind, key=lambda job: -behind[job]))}
    ready = [job for job in behind if not missing[job]]
    running: list[tuple[float, int, Job]] = []
    now = memory = busiest = 0.0
    cores, gpus = machine.cores, machine.gpus
    while ready or running:
        for job in sorted(ready, key=order.__getitem__):
            threads, cards = min(job.threads, machine.cores), min(job.gpus, machine.gpus)
            if threads <= cores and cards <= gpus:
                ready.remove(job)
                cores, gpus, memory = cores - threads, gpus - cards, memory + costs[job].memory
                heapq.heappush(running, (now + costs[job].seconds + BETWEEN, order[job], job))
        busiest = max(busiest, memory)
        now, _, job = heapq.heappop(running)
        cores, gpus = cores + min(job.threads, machine.cores), gpus + min(job.gpus, machine.gpus)
        memory -= costs[job].memory
        for other in waiting[job]:
            missing[other] -= 1
            if not missing[other]:
                ready.append(other)
    return now, busiest
