"""Rule switch: one code-switched corpus, its training and its development pairs."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.corpus.switch import switch_corpus

    for split in ("train", "dev"):
        switch_corpus(
            instances=f"{rule.params.instances}/{split}.parquet",
            queries=f"{rule.params.tokens['query']}/queries-{split}",
            documents=f"{rule.params.tokens['passage']}/documents",
            lexicons=dict(zip(rule.params.recipe["languages"], rule.input.lexicons, strict=True)),
            recipe=rule.params.recipe,
            out=Path(rule.output.train).parent,
            name=split,
            threads=rule.threads,
        )
