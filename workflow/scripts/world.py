"""Rule world: generate the raw inputs of the made-up world."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.sources.world.generate import generate_world

    generate_world(spec=rule.params.spec, out=Path(rule.output[0]).parents[1])
