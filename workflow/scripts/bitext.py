"""Rules bitext_*: one pair of languages of a parallel text, cleaned and cut into its parts."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.sources.bitext.write import write_bitext

    write_bitext(files=list(rule.input), out=Path(rule.output[0]).parent, **rule.params.spec)
