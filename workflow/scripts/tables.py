"""Rule tables: metrics, per-query scores and significance."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.core.languages import Languages
    from switchrank.evaluate.tables import Settings, make_tables

    spec = dict(rule.params.spec)
    systems, mixed, same = (spec.pop(name) for name in ("systems", "mixed", "same"))
    make_tables(
        per_query=list(rule.input),
        run=rule.params.run,
        out=Path(rule.output.metrics).parent,
        languages=Languages(**rule.params.languages, mixed=mixed),
        settings=Settings(**spec, same=frozenset(map(tuple, same))),
        systems=systems,
    )
