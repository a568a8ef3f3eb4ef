"""Rules encode, encode_translations, encode_lines and encode_*tokens: the vectors of one table of texts."""

from pathlib import Path

from switchrank.core.job import gpu_for_job, job

with job(snakemake) as rule, gpu_for_job(rule.resources.get("gpu", 0)) as device:
    from switchrank.rank.dense import encode_table
    from switchrank.rank.inference import Inference
    from switchrank.rank.late import encode_tokens

    encode = {"dual-encoder": encode_table, "late-interaction": encode_tokens}[rule.params.architecture]
    encode(
        model=Path(rule.input.model[0]).parent,
        table=rule.input.texts,
        column=rule.params.column,
        kind=rule.params.kind,
        out=rule.output[0],
        inference=Inference(device=device, threads=rule.threads, **rule.params.settings),
    )
