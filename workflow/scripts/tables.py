"""Rule tables: metrics, per-query scores and significance."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.tables import make_tables

    make_tables(
        per_query=list(rule.input),
        run=rule.params.run,
        languages=rule.params.languages,
        metrics_out=rule.output.metrics,
        per_query_out=rule.output.per_query,
        significance_out=rule.output.significance,
        effects_out=rule.output.effects,
        **rule.params.spec,
    )
