"""Rule mrr_picture: MRR@10 per pair and system with confidence intervals."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.report.data import Languages, MetricPlot
    from switchrank.report.mrr import Points, mrr_picture

    mrr_picture(
        metrics=rule.input.metrics,
        per_query=rule.input.per_query,
        significance=rule.input.significance,
        languages=Languages(**rule.params.languages),
        points=Points(leave_out=rule.params.swept),
        plot=MetricPlot(
            testset=rule.params.testset,
            out=rule.output.picture,
            baseline=rule.params.baseline,
            table=rule.output.numbers,
        ),
    )
