"""Rule tokenizer: the one subword tokenizer of the run."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.train.tokenizer import build_tokenizer

    files = iter(rule.input.texts)
    build_tokenizer(
        texts={lang: [next(files) for _ in names] for lang, names in rule.params.texts.items()},
        vectors=rule.params.vectors,
        unspaced=rule.params.unspaced,
        segmenters=rule.params.segmenters,
        size=rule.params.size,
        out=Path(rule.output[0]).parent,
    )
