"""Rule parallel: training and development pairs with the texts of two languages."""

from pathlib import Path

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.corpus.parallel import parallel_corpus

    for number, split in enumerate(("train", "dev")):
        judged = dict(zip(("judgements", "own_judgements"), rule.input.get(f"judged_{split}") or [], strict=False))
        parallel_corpus(
            instances=rule.input.instances[number],
            queries=rule.input.queries[number],
            documents=rule.input.documents,
            query_lang=rule.params.languages[0],
            passage_lang=rule.params.languages[1],
            out=Path(rule.output.train).parent,
            name=split,
            **judged,
        )
