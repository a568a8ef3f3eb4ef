"""Rule keep_vectors: vectors that are in the common space already."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.embeddings.keep import keep_vectors

    keep_vectors(
        vectors=rule.input.words.removesuffix(".words.parquet"),
        out=rule.output.words.removesuffix(".words.parquet"),
    )
