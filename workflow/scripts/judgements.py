"""Rule judgements: the judgements of a test set, cut to the queries it asks."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.rank.sample import sample_judgements

    sample_judgements(
        judgements=list(rule.input),
        chosen=rule.params.chosen,
        queries=rule.params.queries,
        out=rule.output[0],
    )
