"""Rule instances: training or development pairs by id."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.corpus.instances import Pairing, build_instances

    build_instances(
        queries=rule.input.queries,
        documents=rule.input.documents,
        judgements=rule.input.judgements,
        triples=rule.input.get("triples") or None,
        vocabulary=rule.params.vocabulary,
        out=rule.output[0],
        pairing=Pairing(**rule.params.spec),
    )
