"""Rule mrr_picture: MRR@10 per pair and system with confidence intervals."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.report.mrr import Points, mrr_picture

    mrr_picture(
        metrics=rule.input.metrics,
        per_query=rule.input.per_query,
        significance=rule.input.significance,
        testset=rule.params.testset,
        languages=rule.params.languages,
        baseline=rule.params.baseline,
        points=Points(leave_out=rule.params.swept),
        out=rule.output.picture,
        table=rule.output.numbers,
    )
