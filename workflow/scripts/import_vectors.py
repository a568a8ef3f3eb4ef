"""Rule import_vectors: read given word vectors into the store."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.core.cache import cache_folder
    from switchrank.embeddings.read import import_vectors

    out = rule.output.words.removesuffix(".words.parquet")
    import_vectors(
        path=rule.input.path,
        out=out,
        max_words=rule.params.max_words,
        extra_words=rule.input.get("extra") or None,
        cache=cache_folder(),
    )
