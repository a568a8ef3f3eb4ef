"""Rules fuse_<system>_*: the runs of several systems on one test set become one for each pair and seed."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.rank.fuse import fuse_runs

    for runs, out in zip(rule.params.runs, rule.output, strict=True):
        fuse_runs(
            runs=runs,
            method=rule.params.method,
            system=rule.params.system,
            depth=rule.params.depth,
            out=out,
        )
