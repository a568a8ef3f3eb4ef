"""Rule exposure: test documents that training has met."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.exposure import exposure_table

    exposure_table(pairs=rule.params.pairs, out=rule.output[0])
