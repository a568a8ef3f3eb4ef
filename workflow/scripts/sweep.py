"""Rule sweep: settings varied one at a time."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.sweep import sweep_table

    quality = rule.input.get("quality")
    sweep_table(
        points=rule.params.points,
        metrics=rule.input.metrics,
        quality=str(quality) if quality else None,
        out=rule.output[0],
    )
