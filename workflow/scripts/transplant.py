"""Rule transplant: pieces of other languages start where their translations are."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.train.transplant import transplant_embeddings

    transplant_embeddings(
        model=Path(rule.input.model[0]).parent,
        lexicons=dict(zip(rule.params.languages, rule.input.lexicons, strict=True)),
        out=Path(rule.output[0]).parent,
    )
