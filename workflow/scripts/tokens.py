"""Rule tokens: the token table of one table of texts."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.corpus.tokens import build_tokens

    build_tokens(
        texts=rule.input[0],
        treebank=rule.params.treebank,
        vocabulary=rule.params.vocabulary,
        out=Path(rule.output[0]).parent,
    )
