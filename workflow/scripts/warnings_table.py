"""Rule warnings: what must be known before the results are believed."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.warnings import warnings_table

    warnings_table(
        per_query=rule.input.per_query,
        testsets=rule.input.testsets,
        coverage=rule.input.get("coverage"),
        references=rule.params.references,
        models=rule.params.models,
        origins=rule.params.origins,
        out=rule.output[0],
    )
