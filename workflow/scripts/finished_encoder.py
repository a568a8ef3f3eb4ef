"""Rule finished_encoder: a dual encoder that somebody else has trained, as it is."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.models.finished_encoder import copy_encoder
    from switchrank.models.obtain import obtained

    with obtained(rule.params.model) as model:
        copy_encoder(model=model, out=Path(rule.output[0]).parent, prompts=rule.params.prompts)
