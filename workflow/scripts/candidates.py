"""Rule candidates: the documents to re-rank, for one document language of a test set."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.rank.candidates import FirstStage, build_candidates

    spec, run = rule.params.spec, rule.input.get("run")
    if run:
        first_stage = FirstStage(run=run, depth=spec.get("depth"))
    else:
        first_stage = FirstStage(all=True) if spec["all"] else FirstStage(spec["bm25"])
    build_candidates(
        queries=rule.input.queries,
        documents=rule.input.documents,
        judgements=rule.input.judgements,
        first_stage=first_stage,
        relevant=spec["relevant"],
        vocabulary=rule.params.vocabulary,
        out=rule.output[0],
    )
