"""Rule pretrained_model: a pretrained encoder with a new one-logit head."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.train.start import build_start

    build_start(model=rule.params.model, seed=rule.params.seed, out=Path(rule.output[0]).parent)
