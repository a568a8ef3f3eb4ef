"""Rule mrr_picture: MRR@10 per pair and system with confidence intervals."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.core.languages import Languages
    from switchrank.report.data import MetricPlot
    from switchrank.report.mrr import mrr_picture

    mrr_picture(
        metrics=rule.input.metrics,
        per_query=rule.input.per_query,
        significance=rule.input.significance,
        languages=Languages(**rule.params.languages),
        leave_out=rule.params.swept,
        plot=MetricPlot(
            testset=rule.params.testset,
            out=rule.output.picture,
            baseline=rule.params.baseline,
            table=rule.output.numbers,
        ),
    )
