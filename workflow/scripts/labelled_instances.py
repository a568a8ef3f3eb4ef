"""Rule labelled_instances: training pairs of labelled queries, and the lists of those held out."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.corpus.instances import Pairing, build_instances

    given = {
        "documents": rule.input.documents,
        "judgements": rule.input.judgements,
        "vocabulary": rule.params.vocabulary,
    }
    for sample, out, spec in zip(rule.input.samples, rule.output, rule.params.specs, strict=True):
        build_instances(queries=sample, out=out, pairing=Pairing(**spec), **given)
