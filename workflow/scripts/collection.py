"""Rules collection_*: parse one collection into documents, queries and judgements."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.sources.build import build_collection

    files = dict(zip(rule.params.roles, rule.input, strict=True))
    build_collection(spec=rule.params.spec, files=files, out=Path(rule.output[0]).parent)
