"""Rules fetch_*: one file from a web address."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.files.fetched import fetch_file

    fetch_file(out=rule.output[0], **rule.params.download)
