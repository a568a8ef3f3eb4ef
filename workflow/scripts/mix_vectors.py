"""Rule mix_vectors: the vectors of queries mixed with those of their translations."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.rank.derived import mix_vectors

    mix_vectors(vectors=rule.input.vectors, others=rule.input.translated, weight=rule.params.weight, out=rule.output[0])
