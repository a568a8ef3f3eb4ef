"""Rule gain_picture: gain over the baseline, query by document language."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.core.languages import Languages
    from switchrank.report.data import MetricPlot
    from switchrank.report.gain import gain_heatmap

    gain_heatmap(
        metrics=rule.input.metrics,
        significance=rule.input.significance,
        languages=Languages(**rule.params.languages),
        system=rule.params.system,
        plot=MetricPlot(rule.params.testset, rule.output[0], rule.params.baseline),
    )
