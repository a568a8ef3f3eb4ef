"""Rules retrieve_<system>_* and found_*: one encoder ranks the documents of all pairs of one test set."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.rank.dense import retrieve_pairs
    from switchrank.rank.late import max_sim_pairs

    rank = {"dual-encoder": retrieve_pairs, "late-interaction": max_sim_pairs}[rule.params.architecture]
    rank(
        pairs=[part | {"out": out} for part, out in zip(rule.params.pairs, rule.output, strict=True)],
        system=rule.params.system,
        depth=rule.params.depth,
        threads=rule.threads,
    )
