"""Rule main_table: the experiment's own test sets and systems as text, shown as soon as they are scored."""

from pathlib import Path
from tempfile import TemporaryDirectory

from switchrank.core.job import job, terminal

with terminal() as show, job(snakemake) as rule, TemporaryDirectory() as folder:
    from switchrank.core.atomic import atomic_path
    from switchrank.core.languages import Languages
    from switchrank.evaluate.summary import main_table
    from switchrank.evaluate.tables import Settings, make_tables

    spec = dict(rule.params.spec)
    systems, mixed, same = (spec.pop(name) for name in ("systems", "mixed", "same"))
    make_tables(
        per_query=list(rule.input),
        run=rule.params.run,
        out=folder,
        languages=Languages(**rule.params.languages, mixed=mixed),
        settings=Settings(**spec, same=frozenset(map(tuple, same))),
        systems=systems,
    )
    text = main_table(f"{folder}/metrics.csv", f"{folder}/significance.csv")
    with atomic_path(rule.output[0]) as path:
        Path(path).write_text(text, encoding="utf-8")
    show("\n" + text)
