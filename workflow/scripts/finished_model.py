"""Rule finished_model: a ranker that somebody else has trained, as it is."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.models.finished import copy_ranker
    from switchrank.models.obtain import obtained

    with obtained(rule.params.model) as model:
        copy_ranker(model=model, out=Path(rule.output[0]).parent)
