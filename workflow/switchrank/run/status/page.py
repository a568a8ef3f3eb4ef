"""A look at a run as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from switchrank.run.plan.jobs import STAGES, Job
from switchrank.run.plan.table import columns, duration
from switchrank.run.plan.work import optimiser_steps
from switchrank.run.status.look import Look, State

_COUNTED: Sequence[State] = ("done", "running", "failed", "stopped", "waiting")
_WIDTH = 120


def as_text(look: Look) -> str:
    """The run in a line, its stages, running and failed jobs, models, warnings about its results, time left."""
    rows = [["stage", "jobs", *_COUNTED]]
    for stage in (*STAGES, "all"):
        states = [state for job, state in look.states.items() if stage in (job.stage, "all")]
        if states or stage == "all":
            rows.append([stage, str(len(states)), *(str(states.count(state) or "") for state in _COUNTED)])
    parts = [_headline(look), columns(rows, 1)]
    for state in ("running", "failed", "stopped"):
        jobs = look.jobs(state)
        if jobs:
            parts.append("\n".join([f"{state}:", *(_line(look, job, state) for job in jobs)]))
    if look.curves:
        parts.append(columns(list(_models(look)), 1))
    parts += ["\n".join(look.warnings)] if look.warnings else []
    parts.append(_last_line(look))
    return "\n\n".join(parts)


def _headline(look: Look) -> str:
    run = look.estimate.plan.config.run
    if look.alive:
        since = f", started {duration(look.now - look.start.began)} ago" if look.start else ""
        return f"run {run}: a process makes it{since}"
    if len(look.jobs("done")) == len(look.states):
        return f"run {run}: finished"
    if look.refused:
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
    """Of each model the step, the last one as recorded or configured, and the newest loss, which the log has."""
    yield ["model", "step", "of", "loss", "dev mrr@10"]
    for job, curve in look.curves.items():
        steps = optimiser_steps(look.estimate.plan, job) if curve.steps is None else curve.steps
        tail = look.tails.get(job)
        loss = tail.loss if tail and tail.loss is not None else curve.loss
        values = ("" if value is None else f"{value:.4f}" for value in (loss, curve.dev))
        yield [job.name, str(curve.step), str(steps), *values]


def _last_line(look: Look) -> str:
    done, whole = len(look.jobs("done")), len(look.states)
    if done == whole:
        return f"all {whole} jobs done"
    measured = look.estimate.calibration.jobs
    basis = f"by {measured} jobs measured so far" if measured else "a rough guess, nothing is measured yet"
    about = "at least" if look.estimate.unknown - look.estimate.done else "about"
    return f"{done} of {whole} jobs, {look.share:.0%} of the work; {about} {duration(look.seconds_left)} left ({basis})"
