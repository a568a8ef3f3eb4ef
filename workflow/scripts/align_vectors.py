"""Rule align_vectors: rotate one language's vectors into the space of the source language."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.embeddings.align import align_vectors

    seed = {"kind": rule.params.kind} | ({"path": str(rule.input.seed)} if rule.input.get("seed") else {})
    align_vectors(
        vectors=rule.input.words.removesuffix(".words.parquet"),
        target=rule.input.target_words.removesuffix(".words.parquet"),
        seed_pairs=seed,
        out=rule.output.words.removesuffix(".words.parquet"),
        **rule.params.spec,
    )
