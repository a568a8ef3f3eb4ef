"""Rule shift: what a relevant passage loses when its language changes."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.why import shift_table

    shift_table(runs=rule.params.runs, judgements=rule.params.judgements, out=rule.output[0])
