"""Rule provenance: what the run was made with."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.run.provenance import write_provenance

    write_provenance(config=rule.params.config, out=rule.output[0])
