"""Rule pretrained_model: a pretrained encoder with a new one-logit head."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.models.obtain import obtained
    from switchrank.train.pruning import pruned
    from switchrank.train.start import build_start

    with obtained(rule.params.model) as whole, pruned(whole, list(rule.input)) as model:
        build_start(model=model, seed=rule.params.seed, out=Path(rule.output[0]).parent)
