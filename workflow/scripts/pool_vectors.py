"""Rule pool_vectors: the vectors of a mixed pool, out of those of its languages."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.rank.derived import pool_vectors

    pool_vectors(
        draw=rule.input.draw,
        tables=dict(zip(rule.params.languages, rule.input.tables, strict=True)),
        vectors=dict(zip(rule.params.languages, rule.input.vectors, strict=True)),
        out=rule.output[0],
    )
