"""Rule gain_picture: gain over the baseline, query by document language."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.core.languages import Languages
    from switchrank.report.gain import gain_heatmap

    gain_heatmap(
        metrics=rule.input.metrics,
        significance=rule.input.significance,
        languages=Languages(**rule.params.languages),
        baseline=rule.params.baseline,
        out=rule.output[0],
        **rule.params.names,
    )
