"""Rule testsets: what rankers are tested on."""

from switchrank.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.testsets import table_of_testsets

    table_of_testsets(testsets=rule.params.testsets, out=rule.output[0])
