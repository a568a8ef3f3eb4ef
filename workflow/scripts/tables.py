"""Rule tables: metrics, per-query scores and significance. The main table is shown as soon as it is known."""

from switchrank.core.job import job, terminal

with terminal() as show, job(snakemake) as rule:
    from switchrank.evaluate.summary import main_table
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
    show("\n" + main_table(rule.output.metrics, rule.output.significance))
