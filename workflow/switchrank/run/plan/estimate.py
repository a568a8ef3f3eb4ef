"""The estimate of a whole run: each job's cost, corrected by the benchmark files of earlier jobs, and its schedule."""

import csv
import heapq
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path

from switchrank.config.plan import Plan
from switchrank.core.errors import UserError
from switchrank.run.notes import started_plan
from switchrank.run.plan.costs import Cost, Costs
from switchrank.run.plan.jobs import Graph, Job, known_graph
from switchrank.run.plan.machine import Machine, free_bytes, nearest_folder
from switchrank.run.plan.rates import REFERENCE
from switchrank.run.plan.sizes import Sizes
from switchrank.run.plan.work import run_parts

BETWEEN = 0.3
"""Seconds that Snakemake takes to begin a job and to see its end."""


@dataclass(frozen=True)
class Schedule:
    """How a run would go: wall time, and bytes in use at the busiest moment.

    ``path`` is the critical path, the jobs that wait for each other and take longest, first to last; ``path_seconds``
    is their time, which no number of cores shortens.
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
    return Schedule(*_simulate(graph, costs, behind, machine), path, max(behind.values(), default=0.0))


def _critical(graph: Graph, jobs: Sequence[Job], costs: Mapping[Job, Cost]) -> tuple[list[Job], dict[Job, float]]:
    """The critical path, and for each job the seconds from its start to the end of all that waits for it."""
    behind = dict.fromkeys(jobs, 0.0)
    after: dict[Job, Job] = {}
    for job in reversed(jobs):
        behind[job] += costs[job].seconds + BETWEEN
        for need in graph.needs(job):
            if need in behind and behind[job] > behind[need]:
                behind[need], after[need] = behind[job], job
    path = [max(jobs, key=behind.__getitem__)] if jobs else []
    while path and path[-1] in after:
        path.append(after[path[-1]])
    return path, behind


def _simulate(
    graph: Graph, costs: Mapping[Job, Cost], behind: Mapping[Job, float], machine: Machine
) -> tuple[float, float]:
    """Wall time and the most memory in use, of the jobs that ``behind`` has."""
    waiting = TopologicalSorter({job: [need for need in graph.needs(job) if need in behind] for job in behind})
    waiting.prepare()
    order = {job: number for number, job in enumerate(sorted(behind, key=behind.__getitem__, reverse=True))}
    ready: list[Job] = []
    running: list[tuple[float, int, Job]] = []
    now = memory = busiest = 0.0
    cores, gpus = machine.cores, machine.gpus
    while waiting.is_active():
        ready += waiting.get_ready()
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
        waiting.done(job)
    return now, busiest


PRIOR = 10.0
"""Seconds that count as estimated well: a few small jobs, which mostly start a process, say little about large ones of
their kind."""
NOTHING = Cost(seconds=0, memory=0, disk=0)
"""In place of an unknown cost; a sum with it is a lower bound."""
_REASONS = {
    "updated input files": "inputs are newer",
    "params have changed since last execution": "params changed",
    "set of input files has changed since last execution": "set of input files changed",
    "input files updated by another job": "what they read is made again",
}
"""Snakemake's reasons in fewer words, those that count most first."""


Observation = tuple[Job, Cost, Cost]
"""A job that ran: what was estimated, and what it took."""


@dataclass(frozen=True)
class Calibration:
    """By kind of job, on a GPU or not, how much longer and how much more memory than estimated, in ``jobs`` jobs.

    Of seconds all measured by all estimated, so that long jobs count most, with :data:`PRIOR` added to both; of memory
    the largest ratio, and no less than 1, since too little memory ends a job.
    """

    ratios: Mapping[tuple[str, bool], tuple[float, float]] = field(default_factory=dict)
    jobs: int = 0

    def correct(self, job: Job, cost: Cost) -> Cost:
        """A cost as earlier jobs of its kind suggest."""
        seconds, memory = self.ratios.get(kind_of(job), (1.0, 1.0))
        return replace(cost, seconds=cost.seconds * seconds, memory=cost.memory * memory)


def kind_of(job: Job) -> tuple[str, bool]:
    """What a correction holds for: a kind of job, on a GPU or not."""
    return job.kind, job.gpus > 0


def read_benchmark(path: str | Path | None) -> Cost | None:
    """Seconds and peak memory (0 of a job too short to be seen) in a benchmark file; None if it cannot be read."""
    if path is None:
        return None
    try:
        with Path(path).open(encoding="utf-8", newline="") as stream:
            row = next(csv.DictReader(stream, delimiter="\t"), {})
        mebibytes = "0" if row.get("max_rss") in (None, "", "-", "NA") else row["max_rss"]
        return replace(NOTHING, seconds=float(row["s"]), memory=2**20 * float(mebibytes))
    except (OSError, ValueError, KeyError):
        return None


def calibrate(observations: Iterable[Observation]) -> Calibration:
    """The correction that the observations ask for."""
    by_kind: defaultdict[tuple[str, bool], list[Observation]] = defaultdict(list)
    for one in observations:
        by_kind[kind_of(one[0])].append(one)
    ratios = {}
    for kind, found in by_kind.items():
        estimated = PRIOR + sum(cost.seconds for _, cost, _ in found)
        measured = PRIOR + sum(took.seconds for _, _, took in found)
        ratios[kind] = measured / estimated, max(1.0, *(took.memory / cost.memory for _, cost, took in found))
    return Calibration(ratios, sum(map(len, by_kind.values())))


@dataclass(frozen=True)
class Estimate:
    """What a run will cost.

    Attributes:
        costs, unknown: the cost of each job, :data:`NOTHING` for those of unknown cost.
        calibration: the correction that is in the costs.
        assumed: inputs that are not here, whose size is a guess.
        done, again: jobs whose outputs are there: those that would not be made again, as far as is known, and those
            that would, with the reason.
    """

    plan: Plan
    graph: Graph
    machine: Machine
    costs: dict[Job, Cost]
    unknown: frozenset[Job]
    calibration: Calibration
    assumed: tuple[str, ...]
    done: frozenset[Job]
    again: Mapping[Job, str]

    @cached_property
    def schedule(self) -> Schedule:
        """How the whole run would go, nothing done yet."""
        return plan_schedule(self.graph, self.costs, self.machine)

    @cached_property
    def remaining(self) -> Schedule:
        """How the rest of it would go."""
        return plan_schedule(self.graph, self.costs, self.machine, done=self.done)

    def disk(self, *, remaining: bool = False) -> float:
        """Bytes of the outputs, and of the largest temporary files of as many jobs as run at once."""
        jobs = [job for job in self.graph.jobs if not (remaining and job in self.done)]
        passing = sorted((self.costs[job].scratch for job in jobs), reverse=True)[: self.machine.cores]
        return sum(self.costs[job].disk for job in jobs) + sum(passing)

    def own_seconds(self, system: str) -> float:
        """Time to train a system's models and to rank with them."""
        return sum(cost.seconds for job, cost in self.costs.items() if _is_of(job, system))

    def all_seconds(self, system: str) -> float:
        """The same with all that must be made before, as if there were no other system."""
        ranked = [job for job in self.graph.jobs if job.kind == "rank" and _is_of(job, system)]
        return sum(self.costs[job].seconds for job in self.graph.behind(ranked))


def _is_of(job: Job, system: str) -> bool:
    """Whether a job trains a model of a system or ranks with one."""
    trained = job.kind == "train" and job.wildcards.get("system") == system
    return trained or (job.kind == "rank" and {system} == {name for name, _, _ in run_parts(job.outputs)})


def estimate_run(plan: Plan, graph: Graph, machine: Machine, *, calibrated: bool = True) -> Estimate:
    """The estimate of a run on a machine; ``calibrated`` by the benchmark files of earlier runs under ``results``."""
    costs = Costs(plan, Sizes(plan), machine)
    correction = _correction(plan, graph, machine) if calibrated else Calibration()
    found = {job: costs.of(job) for job in graph.jobs}
    corrected = {job: correction.correct(job, cost) if cost else NOTHING for job, cost in found.items()}
    unknown = frozenset(job for job, cost in found.items() if cost is None)
    there = [job for job in graph.jobs if job.is_done]
    done = frozenset(job for job in there if not job.again)
    reasons = {job: [words for reason, words in _REASONS.items() if reason in job.again] for job in there if job.again}
    again = {job: (words or [job.again])[0] for job, words in reasons.items()}
    return Estimate(plan, graph, machine, corrected, unknown, correction, tuple(costs.sizes.assumed), done, again)


def _correction(plan: Plan, graph: Graph, machine: Machine) -> Calibration:
    """What earlier jobs of this run suggest; for kinds of which it had none, those of the other runs under ``results``.

    A run whose inputs are not all here, or whose start kept no note of its jobs, says nothing of another.
    """
    own: list[Observation] = []
    others: list[Observation] = []
    for folder in sorted(Path("results").glob("*/benchmarks")):
        run = folder.parent.name
        try:
            started = started_plan(run, roots=plan.roots)
        except UserError:
            started = None
        known = known_graph(started[0]) if started else None
        here = run == plan.config.run
        if not here and known is None:
            continue
        its_plan = started[0] if started else plan
        costs = Costs(its_plan, Sizes(its_plan), machine)
        seen = [(job, costs.of(job), took) for job in (known or graph).jobs if (took := read_benchmark(job.benchmark))]
        if here or not costs.sizes.assumed:
            (own if here else others).extend((job, cost, took) for job, cost, took in seen if cost)
    known_kinds = {kind_of(job) for job, _, _ in own}
    return calibrate([*own, *(one for one in others if kind_of(one[0]) not in known_kinds)])


def check_disk(plan: Plan, jobs: Iterable[Job], place: str | Path) -> None:
    """Raise UserError, before a start, if the outputs of ``jobs`` do not fit on their disks, links followed.

    Where inputs are still to be fetched the need is a guess, and only a warning is written to standard error.
    """
    costs = Costs(plan, Sizes(plan), Machine(REFERENCE, 1, bf16=False))
    disks: dict[int, tuple[Path, list[Cost]]] = {}
    for job in jobs:
        folder = nearest_folder(Path(job.outputs[0]).parent)
        disks.setdefault(folder.stat().st_dev, (folder, []))[1].append(costs.of(job) or NOTHING)
    for folder, found in disks.values():
        needed = sum(cost.disk for cost in found) + max(cost.scratch for cost in found)
        free = free_bytes(folder)
        if needed <= free:
            continue
        error = UserError(
            place,
            f"run {plan.config.run}",
            f"needs about {needed / 1e9:.1f} GB of disk, and {free / 1e9:.1f} GB are free",
            "free some, or set SWITCHRANK_ANY_DISK=1 to start anyway (switchrank plan tells what needs it)",
        )
        if not costs.sizes.assumed:
            raise error
        print(f"warning: {error}", file=sys.stderr)
