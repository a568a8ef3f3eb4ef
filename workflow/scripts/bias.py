"""Rule bias: which languages a system prefers in mixed pools."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.bias import bias_table

    bias_table(
        runs=rule.params.runs,
        pools=rule.params.pools,
        measures=rule.params.measures,
        out=rule.output[0],
        per_query_out=rule.output.get("per_query"),
    )
