"""Rules rank_<system>_*: one model scores all its pairs of one test set."""

from pathlib import Path

from switchrank.core.job import gpu_for_job, job

with job(snakemake) as rule, gpu_for_job(rule.resources.get("gpu", 0)) as device:
    from switchrank.rank.inference import Inference, rank_pairs

    settings = dict(rule.params.settings)
    kept = {name: settings.pop(name) for name in ("sigmoid_scores", "depth") if name in settings}
    rank_pairs(
        model=Path(rule.input.model[0]).parent,
        pairs=[part | {"out": out} for part, out in zip(rule.params.pairs, rule.output.runs, strict=True)],
        system=rule.params.system,
        record=rule.output.record,
        inference=Inference(device=device, threads=rule.threads, **settings),
        **kept,
    )
