"""Rule first_stage: what the candidates of a test set allow, as used and as a user would have them."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.first_stage import first_stage_table

    first_stage_table(testset=rule.params.testset, pairs=rule.params.pairs, out=rule.output[0])
