"""Rule sample: the first instances of a corpus that is switched on the fly, to look at."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.corpus.switch import switch_corpus

    switch_corpus(
        instances=f"{rule.params.instances}/train.parquet",
        queries=f"{rule.params.tokens['query']}/queries-train",
        documents=f"{rule.params.tokens['passage']}/documents",
        lexicons=dict(zip(rule.params.recipe["languages"], rule.input.lexicons, strict=True)),
        recipe=rule.params.recipe,
        out=Path(rule.output[0]).parent,
        name="sample",
        limit=rule.params.limit,
        threads=rule.threads,
    )
