"""Rule main_table: the experiment's own test sets and systems as text, shown as soon as they are scored."""

from pathlib import Path
from tempfile import TemporaryDirectory

from switchrank.core.job import job, terminal

with terminal() as show, job(snakemake) as rule, TemporaryDirectory() as folder:
    from switchrank.core.atomic import atomic_path
    from switchrank.evaluate.summary import main_table
    from switchrank.evaluate.tables import make_tables, plain_options

    options = plain_options(run=rule.params.run, languages=rule.params.languages, spec=rule.params.spec)
    make_tables(per_query=list(rule.input), out=folder, **options)
    text = main_table(f"{folder}/metrics.csv", f"{folder}/significance.csv")
    with atomic_path(rule.output[0]) as path:
        Path(path).write_text(text, encoding="utf-8")
    show("\n" + text)
