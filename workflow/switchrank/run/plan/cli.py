"""``switchrank plan``: what a config will cost before a job runs, as text for people and as JSON for programs."""

import json
import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from switchrank.config.load import load_plan
from switchrank.core.command import Command
from switchrank.core.errors import UserError
from switchrank.run.plan.estimate import Estimate, estimate_run
from switchrank.run.plan.jobs import STAGES, Job, graph_to_plan
from switchrank.run.plan.machine import GPU_TFLOPS, Machine, free_bytes, measure_gflops

_NAMES_SHOWN = 12
_AT_LEAST = "at least "
"""Before a sum that leaves out an unknown cost."""


def duration(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3.4 h``, ``2.1 d``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} d"


def amount(number: float, unit: str = "") -> str:
    """A number with the prefix of thousands that suits it: ``1.5 GB``, ``640 M``."""
    prefixes = ["", "k", "M", "G", "T", "P", "E"]
    while abs(number) >= 1000 and len(prefixes) > 1:
        number /= 1000
        prefixes.pop(0)
    prefix = prefixes[0]
    digits = 0 if abs(number) >= 10 or not prefix else 1
    return f"{number:.{digits}f} {prefix}{unit}".rstrip()


def columns(rows: Sequence[Sequence[str]], left: int) -> str:
    """Rows of cells as lines; the first ``left`` columns are flush left, the others right."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) if number < left else cell.rjust(width) for number, (cell, width) in line).rstrip()
        for line in (list(enumerate(zip(row, widths, strict=True))) for row in rows)
    )


def groups(estimate: Estimate) -> Iterator[tuple[str, str, list[Job]]]:
    """Jobs by stage and kind, in the order of the stages."""
    for stage in STAGES:
        jobs = [job for job in estimate.graph.jobs if job.stage == stage]
        for kind in dict.fromkeys(job.kind for job in jobs):
            yield stage, kind, [job for job in jobs if job.kind == kind]


def _figures(estimate: Estimate, jobs: Sequence[Job]) -> dict[str, float]:
    costs = [estimate.costs[job] for job in jobs]
    return {
        "jobs": len(costs),
        "unknown": sum(job in estimate.unknown for job in jobs),
        "tokens": sum(cost.tokens for cost in costs),
        "flops": sum(cost.flops for cost in costs),
        "seconds": sum(cost.seconds for cost in costs),
        "memory": max((cost.memory for cost in costs), default=0.0),
        "disk": sum(cost.disk for cost in costs),
    }


def _cells(stage: str, kind: str, figures: dict[str, float]) -> list[str]:
    jobs = f"{figures['jobs']:.0f}"
    if figures["unknown"] == figures["jobs"]:
        return [stage, kind, jobs, "", "", *["unknown"] * 3]
    least = _AT_LEAST if figures["unknown"] else ""
    worked = [amount(figures[name]) if figures[name] else "" for name in ("tokens", "flops")]
    sizes = [least + amount(figures[name], "B") for name in ("memory", "disk")]
    return [stage, kind, jobs, *worked, least + duration(figures["seconds"]), *sizes]


def as_text(estimate: Estimate) -> str:
    """The tables, the critical path and what they rest on."""
    rows = [["stage", "job", "jobs", "tokens", "FLOP", "time", "memory", "disk"]]
    rows += [_cells(stage, kind, _figures(estimate, jobs)) for stage, kind, jobs in groups(estimate)]
    rows.append(_cells("all", "", _figures(estimate, estimate.graph.jobs)))
    parts = [columns(rows, 2), columns(_system_rows(estimate), 1), _summary(estimate)]
    return "\n\n".join(parts)


def _system_rows(estimate: Estimate) -> list[list[str]]:
    plan = estimate.plan
    runs = [run.system for testset in plan.pairs for run in plan.runs(testset)]
    rows = [["system", "models", "runs", "own jobs", "from nothing"]]
    least = _AT_LEAST if estimate.unknown else ""
    for system in plan.config.systems:
        models = len(plan.config.seeds) * sum(name == system for name, _ in plan.models)
        own, whole = estimate.own_seconds(system), estimate.all_seconds(system)
        rows.append([system, str(models), str(runs.count(system)), duration(own), least + duration(whole)])
    return rows


def _summary(estimate: Estimate) -> str:
    machine, schedule, cores = estimate.machine, estimate.schedule, f"{estimate.machine.cores} cores"
    if machine.gpus and any(job.gpus for job in estimate.graph.jobs):
        cores += f" and {machine.gpus} GPU(s) of {machine.gpu_tflops:.0f} TFLOP/s"
    found, done, least = estimate.calibration, len(estimate.done), _AT_LEAST if estimate.unknown else ""
    free = amount(free_bytes(estimate.plan.folder), "B")
    path = [f"{job.name} {duration(estimate.costs[job].seconds)}" for job in schedule.path]
    if len(path) > _NAMES_SHOWN:
        path[_NAMES_SHOWN - 1 : -1] = ["..."]
    lines = [
        f"wall time: {least}{duration(schedule.seconds)} on {cores}; "
        f"memory at once: {least}{amount(schedule.memory, 'B')}",
        f"critical path: {least}{duration(schedule.path_seconds)}: {' > '.join(path)}",
        f"disk: {least}{amount(estimate.disk(), 'B')} while it runs; free here: {free}",
        f"speed: {machine.gflops:.0f} GFLOP/s a core; "
        + (f"corrected by {found.jobs} jobs of earlier runs" if found.jobs else "not corrected by any earlier run"),
    ]
    if estimate.unknown:
        kinds = ", ".join(sorted({job.kind for job in estimate.unknown}))
        lines.append(f"unknown: what {len(estimate.unknown)} job(s) cost ({kinds}); sums leave them out")
    if done:
        least = _AT_LEAST if estimate.unknown - estimate.done else ""
        rest = f"{least}{duration(estimate.remaining.seconds)}, {amount(estimate.disk(remaining=True), 'B')}"
        lines.append(f"done already: {done} of {len(estimate.graph.jobs)} jobs; rest: {rest}")
    if estimate.again:
        reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(estimate.again.values()).most_common())
        lines.append(f"to run again: {len(estimate.again)} jobs whose outputs are there ({reasons})")
    if estimate.assumed:
        first, count = estimate.assumed[0], len(estimate.assumed)
        lines.append(
            f"guessed: {count} input file(s) are not here and are taken to be as large as those of MS MARCO and MUSE, "
            f"such as {first}"
        )
    return "\n".join(lines)


def as_json(estimate: Estimate) -> dict[str, Any]:
    """All of it as JSON values: seconds, bytes, counts."""
    return {
        "run": estimate.plan.config.run,
        "machine": vars(estimate.machine),
        "calibrated_by": estimate.calibration.jobs,
        "assumed": list(estimate.assumed),
        "unknown": len(estimate.unknown),
        "jobs": [
            {"name": job.name, "rule": job.rule, "kind": job.kind, "stage": job.stage, "done": job in estimate.done}
            | {"again": estimate.again.get(job)}
            | {name: None if job in estimate.unknown else value for name, value in vars(estimate.costs[job]).items()}
            for job in estimate.graph.jobs
        ],
        "stages": [{"stage": stage, "kind": kind} | _figures(estimate, jobs) for stage, kind, jobs in groups(estimate)],
        "systems": {
            system: {"own": estimate.own_seconds(system), "from_nothing": estimate.all_seconds(system)}
            for system in estimate.plan.config.systems
        },
        "wall": estimate.schedule.seconds,
        "memory_at_once": estimate.schedule.memory,
        "critical_path": {
            "seconds": estimate.schedule.path_seconds,
            "jobs": [job.name for job in estimate.schedule.path],
        },
        "disk": {"needed": estimate.disk(), "free": free_bytes(estimate.plan.folder)},
    }


def plan(
    *,
    config: Path,
    cores: int | None = None,
    gpus: int = 1,
    gflops: float | None = None,
    gpu_tflops: float = GPU_TFLOPS,
    uncalibrated: bool = False,
    print_json: bool = False,
) -> None:
    """What a config will cost before it runs: jobs, tokens, time, memory, disk.

    Time is the sum over jobs, memory that of the largest job, disk that of the outputs. In the table of systems, "own
    jobs" train its models and rank with them; "from nothing" adds all that must be made before. Nothing is fetched or
    made.

    Without earlier runs an estimate is right within a factor of 3: it follows from the sizes of the inputs and the
    speed of this machine, which is measured in a second. With benchmark files under results/, of this run or else of
    any other, it is corrected by what jobs of the same kind took. An input that is not here yet is assumed to be as
    large as MS MARCO's, and the last line says so. If the run has begun, Snakemake is asked which of its files it would
    make again.

    Args:
        config: the YAML file.
        cores: cores (default: those of this machine).
        gpus: GPUs for jobs that ask for one; 0: on the CPU.
        gflops: speed of a core, float32 (default: measured).
        gpu_tflops: speed of a GPU at the run's precision.
        uncalibrated: leave earlier runs aside.
        print_json: print JSON: every job, seconds and bytes.
    """
    cores = (os.cpu_count() or 1) if cores is None else cores
    for option, number, least in (("--cores", cores, 1), ("--gpus", gpus, 0)):
        if number < least:
            raise UserError("plan", option, f"{number} is too few", f"give {least} or more")
    for option, rate in (("--gflops", gflops), ("--gpu-tflops", gpu_tflops)):
        if rate is not None and not 0 < rate < math.inf:
            raise UserError("plan", option, f"{rate:g} is no speed", "give a number above 0")
    planned = load_plan(config, os.environ)
    machine = Machine(gflops=gflops or measure_gflops(), cores=cores, gpu_tflops=gpu_tflops, gpus=gpus)
    estimate = estimate_run(planned, graph_to_plan(planned), machine, calibrated=not uncalibrated)
    print(json.dumps(as_json(estimate), indent=1) if print_json else as_text(estimate))


COMMANDS = Command(plan, places=["config"], flags={"print_json": "json"})
