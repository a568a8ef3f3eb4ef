"""The state of every job of a run, from files: outputs that are there, logs, and the lock of the process that makes it.

On a cluster the jobs run elsewhere, but their files are here: a shared disk is all that is needed.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from switchrank.config.load import load_plan
from switchrank.config.plan import Plan
from switchrank.core.errors import UserError
from switchrank.core.locks import is_held
from switchrank.formats.warnings import warning_lines
from switchrank.run.last_start import Start, last_start, started_plan
from switchrank.run.notes import SNAKEMAKE
from switchrank.run.plan.costs import REFERENCE
from switchrank.run.plan.estimate import Estimate, estimate_run
from switchrank.run.plan.jobs import Job, job_graph
from switchrank.run.plan.machine import Machine
from switchrank.run.plan.schedule import plan_schedule
from switchrank.run.status.logs import Curve, Tail, last_values, read_tail

State = Literal["done", "running", "failed", "stopped", "waiting"]
_EARLIER = 2.0
"""Seconds by which clocks of machines may differ."""


@dataclass(frozen=True)
class Look:
    """A run at one moment.

    Attributes:
        estimate: its jobs and what they cost. alive: whether a process makes it.
        start: when and with what it was started; None if unknown.
        states: of each job. tails: ends of the logs of jobs that are not done.
        now: seconds since 1970.
    """

    estimate: Estimate
    alive: bool
    start: Start | None
    states: dict[Job, State]
    tails: dict[Job, Tail]
    now: float

    @property
    def warnings(self) -> list[str]:
        """What to know before believing the results; nothing if the table cannot be read."""
        try:
            return warning_lines(f"{self.estimate.plan.folder}/tables/warnings.csv")
        except UserError:
            return []

    def jobs(self, state: State) -> list[Job]:
        """Jobs in a state, in the order they are needed."""
        return [job for job, found in self.states.items() if found == state]

    @cached_property
    def refused(self) -> list[Job]:
        """Failed jobs that will fail again until their input is corrected."""
        return [job for job in self.jobs("failed") if self.tails[job].refused]

    @cached_property
    def curves(self) -> dict[Job, Curve]:
        """The last values of every model that has any."""
        found = {job: last_values(job) for job in self.estimate.graph.jobs if job.kind == "train"}
        return {job: curve for job, curve in found.items() if curve}

    @cached_property
    def seconds_left(self) -> float:
        """Time left: for a model in training what its progress bar says, for all other jobs as estimated."""
        costs = dict(self.estimate.costs)
        for job in self.jobs("running"):
            tail = self.tails[job]
            known = tail.seconds_left if job.kind == "train" else None
            costs[job] = replace(costs[job], seconds=costs[job].seconds / 2 if known is None else known)
        done = frozenset(self.jobs("done"))
        return plan_schedule(self.estimate.graph, costs, self.estimate.machine, done=done).seconds

    @property
    def share(self) -> float:
        """Share of the work that is done, by time."""
        costs = self.estimate.costs
        whole = sum(cost.seconds for cost in costs.values())
        return sum(costs[job].seconds for job in self.jobs("done")) / whole if whole else 1.0


def look_at(named: str | None) -> Look:
    """How a run is going, by its name or config file; with neither, the only run there is.

    Raises:
        UserError: see :func:`find_plan`.
    """
    plan, start = find_plan(named or the_only_run())
    alive = is_held(plan.config.run, SNAKEMAKE)
    cores = start.cores if start and start.cores else os.cpu_count() or 1
    estimate = estimate_run(plan, job_graph(plan), Machine(REFERENCE, cores, gpus=start.gpus if start else 1))
    found = {job: read_tail(job.log) for job in estimate.graph.jobs if job not in estimate.done}
    tails = {job: tail for job, tail in found.items() if tail}
    since = start.began if start else 0.0

    def state(job: Job) -> State:
        tail = tails.get(job)
        if job in estimate.done:
            return "done"
        if tail is None or (alive and tail.written < since - _EARLIER):  # a log of an earlier start says nothing
            return "waiting"
        if tail.failed:
            return "failed"
        return "running" if alive else "stopped"

    return Look(estimate, alive, start, {job: state(job) for job in estimate.graph.jobs}, tails, time.time())


def find_plan(named: str) -> tuple[Plan, Start | None]:
    """The plan of a run by its name, or by its config file.

    Raises:
        UserError: there is no such config or run, or it is unknown what the run was started with.
    """
    if named.endswith((".yaml", ".yml")):
        path = Path(named)
        plan = load_plan(path, os.environ)
        if not Path(plan.folder).is_dir():
            raise UserError(plan.folder, "", "this run has not been started here", f"snakemake --configfile {named}")
        return plan, last_start(plan.config.run)
    run = Path(named).name
    if not Path("results", run).is_dir():
        known = ", ".join(_runs_here())
        todo = f"known here: {known}" if known else "call it in the folder that holds results/"
        raise UserError(f"results/{run}", "", "no such run", todo)
    found = started_plan(run)
    if found is None:
        raise UserError(f"results/{run}", "", "what it was started with is not kept", "give its config file instead")
    return found


def _runs_here() -> list[str]:
    return sorted(path.name for path in Path("results").glob("*") if path.is_dir())


def the_only_run() -> str:
    """The run that is meant where none is named: the one that is being made, or the only one there is.

    Raises:
        UserError: none, or several.
    """
    runs = _runs_here()
    alive = [run for run in runs if is_held(run, SNAKEMAKE)]
    chosen = alive or runs
    if len(chosen) == 1:
        return chosen[0]
    if not runs:
        raise UserError("results", "", "no run here", "call it in the folder that holds results/")
    raise UserError("results", "", f"{len(chosen)} runs", f"name one: {', '.join(chosen)}")
