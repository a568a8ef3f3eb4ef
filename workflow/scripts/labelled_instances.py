"""Rule labelled_instances: training pairs of labelled queries."""

from switchrank.job import job

with job(snakemake) as rule:
    from switchrank.corpus.instances import build_instances

    build_instances(
        queries=rule.input.sample,
        documents=rule.input.documents,
        judgements=rule.input.judgements,
        vocabulary=rule.params.vocabulary,
        out=rule.output[0],
        **rule.params.spec,
    )
