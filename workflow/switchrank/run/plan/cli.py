"""``switchrank plan``: what a config will cost, before a job runs."""

import json
import math
import os
from pathlib import Path

from switchrank.core.command import Command
from switchrank.core.errors import UserError
from switchrank.run.plan.machine import GPU_TFLOPS


def plan(
    *,
    config: Path,
    cores: int | None = None,
    gpus: int = 1,
    gflops: float | None = None,
    gpu_tflops: float = GPU_TFLOPS,
    uncalibrated: bool = False,
    as_json: bool = False,
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
        as_json: print JSON: every job, seconds and bytes.
    """
    from switchrank.config.load import load_plan
    from switchrank.run.plan import table
    from switchrank.run.plan.estimate import estimate_run
    from switchrank.run.plan.jobs import graph_to_plan
    from switchrank.run.plan.machine import Machine, measure_gflops

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
    print(json.dumps(table.as_json(estimate), indent=1) if as_json else table.as_text(estimate))


COMMANDS = Command(plan, places=["config"], flags={"as_json": "json"})
