"""Rule extended_start: a pretrained model gets pieces for languages that it cannot write."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.train.extending import extend_vocabulary

    extend_vocabulary(
        model=Path(rule.input.model[0]).parent,
        texts=rule.params.texts,
        source=rule.params.source,
        lexicons=rule.params.lexicons,
        vectors=rule.params.vectors,
        out=Path(rule.output[0]).parent,
        **rule.params.settings,
    )
