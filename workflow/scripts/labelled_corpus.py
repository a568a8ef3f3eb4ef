"""Rule labelled_corpus: pairs of labelled queries with their texts, to tune on and held out."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.corpus.parallel import parallel_corpus

    sides = ("train", "dev")[: len(rule.input.queries)]
    for name, instances, queries in zip(sides, rule.input.instances, rule.input.queries, strict=True):
        parallel_corpus(
            instances=instances,
            queries=queries,
            documents=rule.input.documents,
            query_lang=rule.params.lang,
            passage_lang=rule.params.lang,
            out=Path(rule.output[0]).parent,
            name=name,
        )
