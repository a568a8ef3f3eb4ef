"""Rule labelled_corpus: training pairs of labelled queries with their texts."""

from pathlib import Path

from switchrank.job import job

with job(snakemake) as rule:
    from switchrank.corpus.parallel import parallel_corpus

    parallel_corpus(
        instances=rule.input.instances,
        queries=rule.input.queries,
        documents=rule.input.documents,
        query_lang=rule.params.lang,
        passage_lang=rule.params.lang,
        out=Path(rule.output[0]).parent,
    )
