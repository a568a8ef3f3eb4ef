"""Rule train_vectors: fastText vectors of one language from its text."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.embeddings.train import SkipGram, train_vectors

    out = rule.output.words.removesuffix(".words.parquet")
    train_vectors(
        texts=list(rule.input.text),
        out=out,
        language=rule.params.lang,
        unspaced=rule.params.unspaced,
        segmenter=rule.params.segmenter,
        training=SkipGram(**rule.params.spec),
        threads=1,
    )
