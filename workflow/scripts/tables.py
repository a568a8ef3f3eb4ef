"""Rule tables: metrics, per-query scores and significance."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.evaluate.tables import make_tables, plain_options

    options = plain_options(run=rule.params.run, languages=rule.params.languages, spec=rule.params.spec)
    make_tables(per_query=list(rule.input), out=Path(rule.output.metrics).parent, **options)
