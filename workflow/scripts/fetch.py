"""Rules fetch_*: one file from a web address."""

from switchrank.job import job

with job(snakemake) as rule:
    from switchrank.sources.fetch import fetch_file

    fetch_file(out=rule.output[0], **rule.params.download)
