"""Rule overlap: retrieval by the words that query and passage share."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.why import overlap_table

    overlap_table(
        pairs=rule.params.pairs, per_query=rule.input.per_query, metric=rule.params.metric, out=rule.output[0]
    )
