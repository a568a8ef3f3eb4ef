"""Rule testsets: what rankers are tested on."""

from switchrank.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.testsets import testsets_table

    testsets_table(testsets=rule.params.testsets, out=rule.output[0])
