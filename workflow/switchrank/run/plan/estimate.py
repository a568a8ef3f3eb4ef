"""The estimate of a whole run: each job's cost, corrected by earlier runs, and what follows from them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from switchrank.config.plan import Plan
from switchrank.core.errors import UserError
from switchrank.run.last_start import started_plan
from switchrank.run.plan.calibration import Calibration, Observation, calibrate, read_benchmark
from switchrank.run.plan.costs import REFERENCE, Cost, Costs
from switchrank.run.plan.graph import job_graph
from switchrank.run.plan.jobs import Graph, Job
from switchrank.run.plan.machine import Machine, free_bytes, nearest_folder
from switchrank.run.plan.schedule import Schedule, plan_schedule
from switchrank.run.plan.sizes import Sizes


@dataclass(frozen=True)
class Estimate:
    """What a run will cost.

    Attributes:
        plan, graph, machine: what was estimated.
        costs: the cost of each job.
        calibration: the correction that is in them.
        assumed: inputs that are not here, whose size is a guess.
        done: jobs whose outputs are there, and would not be made again as far as anybody knows.
        again: jobs whose outputs are there and would be made again, with the reason.
    """

    plan: Plan
    graph: Graph
    machine: Machine
    costs: dict[Job, Cost]
    calibration: Calibration
    assumed: tuple[str, ...]
    done: frozenset[Job]
    again: Mapping[Job, str] = field(default_factory=dict)

    @cached_property
    def schedule(self) -> Schedule:
        """How the whole run would go, nothing done yet."""
        return plan_schedule(self.graph, self.costs, cores=self.machine.cores, gpus=self.machine.gpus)

    @cached_property
    def remaining(self) -> Schedule:
        """How the rest of it would go."""
        return plan_schedule(self.graph, self.costs, cores=self.machine.cores, gpus=self.machine.gpus, done=self.done)

    def disk(self, *, remaining: bool = False) -> float:
        """Bytes that the outputs need, and while it runs the largest passing files of as many jobs as run at once."""
        jobs = [job for job in self.graph.jobs if not (remaining and job in self.done)]
        passing = sorted((self.costs[job].scratch for job in jobs), reverse=True)[: self.machine.cores]
        return sum(self.costs[job].disk for job in jobs) + sum(passing)

    def own_seconds(self, system: str) -> float:
        """Time to train a system's models and to rank with them."""
        return sum(cost.seconds for job, cost in self.costs.items() if _is_of(job, system))

    def all_seconds(self, system: str) -> float:
        """The same with all that must be made before, as if no other system were there."""
        runs = [job for job in self.graph.jobs if _is_of(job, system) and job.kind == "rank"]
        return sum(self.costs[job].seconds for job in self.graph.behind(runs))


def _is_of(job: Job, system: str) -> bool:
    return job.stage in ("train", "rank") and job.about.get("system") == system


def estimate_run(
    plan: Plan, machine: Machine, *, calibrated: bool = True, pending: Mapping[str, str] | None = None
) -> Estimate:
    """The estimate of a run on a machine.

    Args:
        plan, machine: what is estimated.
        calibrated: by the benchmark files of earlier runs under ``results``.
        pending: files that are there and would be made again, with reasons.
    """
    graph = job_graph(plan)
    sizes = Sizes(plan, graph)
    costs = Costs(plan, sizes, machine)
    correction = _correction(plan, machine) if calibrated else Calibration()
    found = {job: correction.correct(job, costs.of(job)) for job in graph.jobs}
    there = [job for job in graph.jobs if is_done(job)]
    reasons = {job: [pending[file] for file in job.outputs if file in pending] for job in there} if pending else {}
    again = {job: told[0] for job, told in reasons.items() if told}
    done = frozenset(job for job in there if job not in again)
    return Estimate(plan, graph, machine, found, correction, tuple(sizes.assumed), done, again)


def is_done(job: Job) -> bool:
    """Whether all outputs of a job are there."""
    return all(Path(output).exists() for output in job.outputs)


def _correction(plan: Plan, machine: Machine) -> Calibration:
    """What earlier jobs of this run say; of kinds that it had none of, those of the other runs under ``results``.

    A run whose inputs are not all here says nothing of another: what its jobs had to do is a guess.
    """
    own: list[Observation] = []
    others: list[Observation] = []
    for folder in sorted(Path("results").glob("*/benchmarks")):
        run = folder.parent.name
        try:
            started = started_plan(run, roots=plan.roots)
        except UserError:
            started = None
        if run == plan.config.run:
            own += _measured(started[0] if started else plan, machine)[0]
        elif started is not None:
            found, assumed = _measured(started[0], machine)
            others += [] if assumed else found
    known = {(one.job.kind, one.job.gpu) for one in own}
    return calibrate([*own, *(one for one in others if (one.job.kind, one.job.gpu) not in known)])


def _measured(plan: Plan, machine: Machine) -> tuple[list[Observation], bool]:
    """The jobs of a run that have benchmark files, and whether the size of any input had to be assumed."""
    graph = job_graph(plan)
    sizes = Sizes(plan, graph)
    costs = Costs(plan, sizes, machine)
    found = []
    for job in graph.jobs:
        measured = read_benchmark(job.benchmark) if job.benchmark else None
        if measured is not None:
            found.append(Observation(job, costs.of(job), measured))
    return found, bool(sizes.assumed)


def check_disk(plan: Plan, files: Iterable[str], place: str | Path) -> None:
    """Before a start: whether what it will make fits on the disk, or on the disks that links in results lead to.

    Where inputs are still to be fetched the need is a guess, and no more than a warning is written to standard error.

    Args:
        plan: the run.
        files: outputs of the jobs that are to run; only they count.
        place: the config file, named in the error.

    Raises:
        UserError: it does not fit.
    """
    wanted, graph = set(files), job_graph(plan)
    sizes = Sizes(plan, graph)
    costs = Costs(plan, sizes, Machine(REFERENCE, 1))
    disks: dict[int, dict[Path, list[Cost]]] = {}
    for job in graph.jobs:
        if wanted.intersection(job.outputs):
            folder = nearest_folder(Path(job.outputs[0]).parent)
            disks.setdefault(folder.stat().st_dev, {}).setdefault(folder, []).append(costs.of(job))
    for folders in disks.values():
        found = [cost for folder in folders.values() for cost in folder]
        needed = sum(cost.disk for cost in found) + max(cost.scratch for cost in found)
        free = free_bytes(next(iter(folders)))
        if needed <= free:
            continue
        error = UserError(
            place,
            f"run {plan.config.run}",
            f"needs about {needed / 1e9:.1f} GB of disk, and {free / 1e9:.1f} GB are free",
            "free some, or set SWITCHRANK_ANY_DISK=1 to start anyway (switchrank plan tells what needs it)",
        )
        if not sizes.assumed:
            raise error
        print(f"warning: {error}", file=sys.stderr)
