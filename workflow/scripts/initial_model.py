"""Rule initial_model: a small encoder from scratch, the same bytes for every system."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.train.start import build_start

    build_start(
        tokenizer=Path(rule.input[0]).parent,
        preset=rule.params.preset,
        init=rule.params.init,
        vectors=rule.params.vectors,
        seed=rule.params.seed,
        out=Path(rule.output[0]).parent,
    )
