"""``switchrank plan``: what a config will cost, before a job runs."""

from __future__ import annotations

import argparse
import json
import math
import os
from pathlib import Path

from switchrank.config.checked import load_plan
from switchrank.core.errors import UserError
from switchrank.run.plan.asked import graph_to_plan
from switchrank.run.plan.estimate import estimate_run
from switchrank.run.plan.machine import GPU_TFLOPS, Machine, measure_gflops
from switchrank.run.plan.table import as_json, as_text

_HELP = """\
Time is the sum over jobs, memory that of the largest job, disk that of the outputs. In the table of systems, own jobs
train its models and rank with them; from nothing counts all that must be made before. Nothing is fetched or made.

Without earlier runs an estimate is right within a factor of 3: it goes by the sizes of the inputs and the speed of this
machine, which is measured in a second. With benchmark files under results/, of this run or else of any other, it is
corrected by what jobs of the same kind took. An input that is not here yet is taken to be as large as MS MARCO's, and
the last line says so. Of a run that has begun, Snakemake is asked which of its files it would make again.

  switchrank plan config/paper.yaml --gpus 4 --gpu-tflops 300     four GPUs, half precision
  switchrank plan config/demo.yaml --json | jq .wall              seconds, for programs
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _HELP
    parser.add_argument("config", type=Path, help="the YAML file")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, help="cores (default: those of this machine)")
    parser.add_argument(
        "--gpus", type=int, default=1, help="GPUs for jobs that ask for one; 0: on the CPU (default: 1)"
    )
    parser.add_argument("--gflops", type=float, help="speed of a core, float32 (default: measured)")
    tflops = f"speed of a GPU at the run's precision (default: {GPU_TFLOPS:.0f})"
    parser.add_argument("--gpu-tflops", type=float, default=GPU_TFLOPS, help=tflops)
    parser.add_argument("--uncalibrated", action="store_true", help="leave earlier runs aside")
    parser.add_argument("--json", action="store_true", help="print JSON: every job, seconds and bytes")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    _check(arguments)
    plan = load_plan(arguments.config, os.environ)
    machine = Machine(
        gflops=arguments.gflops or measure_gflops(),
        cores=arguments.cores,
        gpu_tflops=arguments.gpu_tflops,
        gpus=arguments.gpus,
    )
    estimate = estimate_run(plan, graph_to_plan(plan), machine, calibrated=not arguments.uncalibrated)
    print(json.dumps(as_json(estimate), indent=1) if arguments.json else as_text(estimate))


def _check(arguments: argparse.Namespace) -> None:
    """Raise UserError for a machine that cannot be."""
    for option, least in (("cores", 1), ("gpus", 0)):
        number = getattr(arguments, option)
        if number < least:
            raise UserError("plan", f"--{option}", f"{number} is too few", f"give {least} or more")
    for option in ("gflops", "gpu_tflops"):
        rate = getattr(arguments, option)
        if rate is not None and not 0 < rate < math.inf:
            raise UserError("plan", f"--{option.replace('_', '-')}", f"{rate:g} is no speed", "give a number above 0")
