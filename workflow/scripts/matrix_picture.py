"""Rule matrix_picture: a metric by query and document language, a matrix for each system."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.core.languages import Languages
    from switchrank.report.data import MetricPlot
    from switchrank.report.matrix import matrix_picture

    matrix_picture(
        metrics=rule.input.metrics,
        languages=Languages(**rule.params.languages),
        plot=MetricPlot(
            testset=rule.params.testset,
            out=rule.output.picture,
            baseline=rule.params.baseline,
            systems=rule.params.systems,
            table=rule.output.numbers,
            metric=rule.params.metric,
        ),
    )
