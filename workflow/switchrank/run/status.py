"""``switchrank status``: how a run is going, told by its files: outputs, logs, the lock of the process that makes it.

On a cluster the jobs run elsewhere, but their files are here: a shared disk is all that is needed.
"""

import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from switchrank.config.load import load_plan
from switchrank.config.plan import Plan
from switchrank.core.command import Command
from switchrank.core.errors import EXIT_USER, UserError
from switchrank.core.job import FAILED
from switchrank.core.locks import is_held
from switchrank.run.notes import SNAKEMAKE, Start, last_start, read_note, started_plan
from switchrank.run.plan.cli import columns, duration
from switchrank.run.plan.estimate import Estimate, estimate_run, plan_schedule
from switchrank.run.plan.jobs import STAGES, Job, job_graph
from switchrank.run.plan.machine import Machine
from switchrank.run.plan.rates import REFERENCE
from switchrank.run.plan.work import steps_of

TAIL = 8192
"""Bytes of the end of a log that are looked at."""
_BAR = re.compile(r"^(?P<what>[^\r\n:]+): +(?P<percent>\d+)%\|.*?\| *(?P<counts>\S+) \[(?P<rest>[^\]]*)\]")
_LEFT = re.compile(r"<(?:(\d+):)?(\d+):(\d+)")
_LOSS = re.compile(r"\bloss=([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)")


@dataclass(frozen=True)
class Tail:
    """The end of a log: its last ``line``, and when it was ``written``, in seconds since 1970.

    Attributes:
        failed: whether the job ended with an error.
        refused: its message about wrong input, which it will repeat when run again; empty if there is none.
        progress, seconds_left, loss: what the last line of a progress bar shows, if there is one.
    """

    line: str
    written: float
    failed: bool
    refused: str
    progress: str = ""
    seconds_left: float | None = None
    loss: float | None = None


def read_tail(path: str | Path) -> Tail | None:
    """The end of a log; None where there is no log."""
    try:
        with Path(path).open("rb") as stream:
            stream.seek(max(0, stream.seek(0, 2) - TAIL))
            text = stream.read().decode("utf-8", errors="replace")
        written = Path(path).stat().st_mtime
    except OSError:
        return None
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    last = lines[-1] if lines else ""
    refused = lines[-2] if last == f"{FAILED} {EXIT_USER}" and len(lines) > 1 else ""
    told: dict[str, Any] = {}
    if bar := next((found for line in reversed(lines) if (found := _BAR.match(line))), None):
        told["progress"] = f"{bar['what']} {bar['percent']}% {bar['counts']} [{bar['rest']}]"
        if left := _LEFT.search(bar["rest"]):
            hours, minutes, seconds = (float(part or 0) for part in left.groups())
            told["seconds_left"] = 3600 * hours + 60 * minutes + seconds
        if loss := _LOSS.search(bar["rest"]):
            told["loss"] = float(loss[1])
    return Tail(last, written, last.startswith(FAILED), refused, **told)


def last_values(job: Job) -> tuple[int, int | None, float | None, float | None] | None:
    """Step, last step (None if it is not recorded), training loss and development MRR@10 of a training job.

    They come from ``train.json`` or its last checkpoint; None where nothing is written.
    """
    record = next((Path(output) for output in job.outputs if output.endswith("/train.json")), None)
    if record is None:
        return None
    history = read_note(record)
    folder = record.parent
    states = sorted(folder.parent.glob(f".work-{folder.name}/*/step-*/state.json"), key=lambda path: path.parent.name)
    try:
        if history:
            step = steps = history.get("params", {}).get("steps")
        else:
            state = read_note(states[-1])
            history, step, steps = state.get("history", {}), state["step"], None
        losses, devs = history.get("loss") or [], history.get("dev") or []
        loss = float(losses[-1][1]) if losses else None
        dev = devs[-1].get("mrr@10") if devs else None
        return int(step), int(steps) if steps else None, loss, None if dev is None else float(dev)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):  # not what we write, or nothing
        return None


State = Literal["done", "running", "failed", "stopped", "waiting"]
_STATES: Sequence[State] = get_args(State)
_EARLIER = 2.0
"""Seconds by which clocks of machines may differ."""


@dataclass(frozen=True)
class Look:
    """A run at one moment (``now``, in seconds since 1970): its jobs, and whether a process makes it.

    ``start`` says when and with what it was started, if that is known; ``tails`` are logs of jobs that are not done.
    """

    estimate: Estimate
    alive: bool
    start: Start | None
    states: dict[Job, State]
    tails: dict[Job, Tail]
    now: float

    def jobs(self, state: State) -> list[Job]:
        """Jobs in a state, in the order they are needed."""
        return [job for job, found in self.states.items() if found == state]

    @property
    def seconds_left(self) -> float:
        """Time left: for a model in training what its progress bar says, for all other jobs as estimated."""
        costs = dict(self.estimate.costs)
        for job in self.jobs("running"):
            tail = self.tails[job]
            known = tail.seconds_left if job.kind == "train" else None
            costs[job] = replace(costs[job], seconds=costs[job].seconds / 2 if known is None else known)
        done = frozenset(self.jobs("done"))
        return plan_schedule(self.estimate.graph, costs, self.estimate.machine, done=done).seconds


def look_at(named: str | None) -> Look:
    """How a run is going, by its name or config file; with neither, the one that is being made, or the only one here.

    Raises:
        UserError: there is no such config or run, there are several and none is named, or what the run was started with
            is unknown.
    """
    plan, start = _find_plan(named or _only_run())
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


def _find_plan(named: str) -> tuple[Plan, Start | None]:
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


def _only_run() -> str:
    runs = _runs_here()
    alive = [run for run in runs if is_held(run, SNAKEMAKE)]
    chosen = alive or runs
    if len(chosen) == 1:
        return chosen[0]
    if not runs:
        raise UserError("results", "", "no run here", "call it in the folder that holds results/")
    raise UserError("results", "", f"{len(chosen)} runs", f"name one: {', '.join(chosen)}")


_WIDTH = 120


def as_text(look: Look) -> str:
    """The run in a line, its stages, running and failed jobs, models, warnings about its results, time left."""
    from switchrank.formats.tables import warning_lines

    rows = [["stage", "jobs", *_STATES]]
    for stage in (*STAGES, "all"):
        states = [state for job, state in look.states.items() if stage in (job.stage, "all")]
        if states or stage == "all":
            rows.append([stage, str(len(states)), *(str(states.count(state) or "") for state in _STATES)])
    parts = [_headline(look), columns(rows, 1)]
    for state in ("running", "failed", "stopped"):
        if jobs := look.jobs(state):
            parts.append("\n".join([f"{state}:", *(_line(look, job, state) for job in jobs)]))
    models = list(_models(look))
    parts += [columns([["model", "step", "of", "loss", "dev mrr@10"], *models], 1)] if models else []
    with suppress(UserError):  # a table that cannot be read
        if warnings := warning_lines(f"{look.estimate.plan.folder}/tables/warnings.csv"):
            parts.append("\n".join(warnings))
    parts.append(_last_line(look))
    return "\n\n".join(parts)


def _headline(look: Look) -> str:
    run = look.estimate.plan.config.run
    if look.alive:
        since = f", started {duration(look.now - look.start.began)} ago" if look.start else ""
        return f"run {run}: a process makes it{since}"
    if len(look.jobs("done")) == len(look.states):
        return f"run {run}: finished"
    if any(look.tails[job].refused for job in look.jobs("failed")):
        return f"run {run}: no process here makes it; put right what failed jobs say below, then start it again"
    return f"run {run}: no process here makes it; start it again and it goes on"


def _line(look: Look, job: Job, state: State) -> str:
    tail = look.tails[job]
    told = (tail.progress or tail.line)[:_WIDTH]
    if state == "failed":
        told = f"see {job.log}" + (f": {tail.refused}" if tail.refused else "")
    age = f"{duration(max(0.0, look.now - tail.written))} ago" if state == "running" else ""
    return "  " + "  ".join(part for part in (job.name, told, age) if part)


def _models(look: Look) -> Iterator[list[str]]:
    """Of each model that has any values the step, the last one as recorded or configured, and the newest loss."""
    for job in look.estimate.graph.jobs:
        values = last_values(job) if job.kind == "train" else None
        if values is None:
            continue
        step, steps, loss, dev = values
        if steps is None:
            steps = steps_of(look.estimate.plan, job)
        if (tail := look.tails.get(job)) and tail.loss is not None:  # a log is ahead of the checkpoints
            loss = tail.loss
        yield [job.name, str(step), str(steps), *("" if value is None else f"{value:.4f}" for value in (loss, dev))]


def _last_line(look: Look) -> str:
    done, whole = look.jobs("done"), len(look.states)
    if len(done) == whole:
        return f"all {whole} jobs done"
    seconds = {job: cost.seconds for job, cost in look.estimate.costs.items()}
    share = sum(seconds[job] for job in done) / (sum(seconds.values()) or 1.0)
    measured = look.estimate.calibration.jobs
    basis = f"by {measured} jobs measured so far" if measured else "a rough guess, nothing is measured yet"
    about = "at least" if look.estimate.unknown - look.estimate.done else "about"
    return f"{len(done)} of {whole} jobs, {share:.0%} of the work; {about} {duration(look.seconds_left)} left ({basis})"


def status(*, run_or_config: str | None = None, watch: float | None = None) -> None:
    """How a run is going: jobs done and running, last losses, time left.

    Only files are read: outputs, logs, checkpoints, benchmark files and the lock of the process that makes the run. So
    it works beside a run on this machine and for one whose jobs are on a cluster, and it disturbs neither.

    A job is done when its outputs are there; it is stopped when its log is there, its outputs are not, and no process
    makes the run. What a changed config would make again counts as done until the next start. The message of a job that
    failed because of its input (exit code 2) is shown, since it would fail again. Time left is estimated from what jobs
    of the same kind took, on as many cores as the run was started with.

    Args:
        run_or_config: name of the run, or its YAML file.
        watch: look again every so many seconds.
    """
    while True:
        page = as_text(look_at(run_or_config))
        clear = "\x1b[H\x1b[2J" if watch and sys.stdout.isatty() else ""
        print(f"{clear}{page}", flush=True)
        if not watch:
            return
        try:
            time.sleep(max(1.0, watch))
        except KeyboardInterrupt:
            return


COMMANDS = Command(status, places=["run_or_config"], forms={"watch": "SECONDS"})
