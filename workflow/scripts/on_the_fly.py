"""Rule on_the_fly: what a corpus is switched from in training, its statistics, and its development pairs."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.corpus.switch import switch_corpus
    from switchrank.corpus.unwritten import record_corpus

    common = {
        "documents": f"{rule.params.tokens['passage']}/documents",
        "lexicons": dict(zip(rule.params.recipe["languages"], rule.input.lexicons, strict=True)),
        "recipe": rule.params.recipe,
        "out": Path(rule.output.record).parent,
        "threads": rule.threads,
    }
    splits = {
        split: {
            "instances": f"{rule.params.instances}/{split}.parquet",
            "queries": f"{rule.params.tokens['query']}/queries-{split}",
        }
        for split in ("train", "dev")
    }
    record_corpus(**common, **splits["train"])
    switch_corpus(**common, **splits["dev"], name="dev")
