"""Rule tokenizer: the one subword tokenizer of the run."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.train.tokenizer import Sources, build_tokenizer

    files = iter(rule.input.texts)
    texts = {lang: [next(files) for _ in names] for lang, names in rule.params.texts.items()}
    sources = Sources(texts, rule.params.vectors, rule.params.unspaced, rule.params.segmenters)
    build_tokenizer(sources, size=rule.params.size, out=Path(rule.output[0]).parent)
