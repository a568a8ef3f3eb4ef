"""Rule testsets: what rankers are tested on."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.testsets import table_of_testsets

    table_of_testsets(
        testsets=rule.params.testsets,
        first_stage=list(rule.input.first_stage),
        out=rule.output.testsets,
        first_stage_out=rule.output.first_stage,
    )
