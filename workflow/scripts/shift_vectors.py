"""Rule shift_vectors: the vectors of one table less the mean of their language."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.rank.derived import shift_vectors

    shift_vectors(vectors=rule.input.vectors, lines=rule.input.lines, out=rule.output[0])
