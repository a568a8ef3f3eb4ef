"""Rule coverage: how far lexicons and texts meet."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.coverage import coverage_table

    coverage_table(languages=rule.params.languages, training=rule.params.training, out=rule.output[0])
