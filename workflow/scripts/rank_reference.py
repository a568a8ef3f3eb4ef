"""Rules rank_random_* and rank_bm25_*: reference rows on the same candidates."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.rank.reference import rank_reference

    pairs = [part | {"out": out} for part, out in zip(rule.params.pairs, rule.output, strict=True)]
    rank_reference(
        kind=rule.params.kind,
        pairs=pairs,
        testset=rule.params.testset,
        seed=rule.params.seed,
        **rule.params.get("kept", {}),
    )
