"""Rules train_model and those like it: one model, resumed from a checkpoint of the same job."""

from pathlib import Path

from switchrank.core.job import gpu_for_job, job

with job(snakemake) as rule, gpu_for_job(rule.resources.get("gpu", 0), rule.resources.processes) as device:
    from switchrank.train.method import Data
    from switchrank.train.training import train_model

    given = {role: rule.input.get(role) or None for role in ("corpus", "dev", "texts")}
    reader = None
    if isinstance(given["corpus"], str) and given["corpus"].endswith(".json"):
        from switchrank.corpus.onthefly import SwitchedPairs as reader
    files = given | {"start": Path(rule.input.start[0]).parent}
    out = Path(rule.output[0]).parent
    train_model(
        Data(files, reader),
        method=rule.params.method,
        out=out,
        work=out.parent / f".work-{out.name}",
        settings=rule.params.settings | {"checkpoint_every": rule.resources.checkpoint_every},
        seed=rule.params.seed,
        record=rule.params.names | {"code": rule.params.code},
        device=device,
        processes=rule.resources.processes,
    )
