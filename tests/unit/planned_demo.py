"""What every job of config/demo.yaml took once: the benchmark files of a whole run, to hold the plan against.

Commit 634d810, ``snakemake --cores 2``, two cores (AMD EPYC) of 130 GFLOP/s, nothing else on the machine.
"""

from __future__ import annotations

import csv
import os
from dataclasses import asdict
from pathlib import Path

from tests.conftest import ROOT

from switchrank.config.load import load_plan, read_yaml
from switchrank.run.notes import Start, remember_start
from switchrank.run.plan.estimate import Estimate, estimate_run
from switchrank.run.plan.jobs import job_graph, keep_at_start
from switchrank.run.plan.machine import Machine

CONFIG = ROOT / "config/demo.yaml"
MACHINE = Machine(gflops=130, cores=2)
WALL = 354.7
"""Seconds that Snakemake took for all 213 jobs."""
TABLE = Path(__file__).with_name("run") / "plan" / "demo-benchmarks.tsv"


def took(table: Path = TABLE) -> dict[str, tuple[float, float]]:
    """By job (stage and name of the benchmark file) seconds and the most memory in bytes."""
    with table.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t")
        return {row["benchmark"]: (float(row["s"]), 2**20 * float(row["max_rss"])) for row in rows}


def estimated(config: Path, *, calibrated: bool) -> Estimate:
    """The estimate of a shipped config on the machine of the run."""
    plan = load_plan(config, os.environ)
    return estimate_run(plan, job_graph(plan), MACHINE, calibrated=calibrated)


def leave_benchmarks(folder: Path, table: Path = TABLE) -> None:
    """Put the benchmark files into a folder, the present one, as the run left them, with the notes of its start."""
    for name, (seconds, memory) in took(table).items():
        file = folder / f"results/demo/benchmarks/{name}.tsv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:00\t{memory / 2**20}\n")
    kept = folder / ".snakemake"
    remember_start("demo", Start(read_yaml(CONFIG), str(CONFIG), str(ROOT), 2), kept)
    plan = load_plan(CONFIG, {})
    keep_at_start(plan, [asdict(job) for job in job_graph(plan).jobs])


def within(factor: float, estimated: float, measured: float) -> bool:
    """Whether an estimate is at most ``factor`` times too low or too high."""
    return measured / factor <= estimated <= measured * factor
