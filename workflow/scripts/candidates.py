"""Rule candidates: the documents to re-rank, for one document language of a test set."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.rank.candidates import FirstStage, build_candidates

    spec, run = rule.params.spec, rule.input.get("run")
    build_candidates(
        queries=rule.input.queries,
        documents=rule.input.documents,
        judgements=rule.input.judgements,
        first_stage=FirstStage(run=run) if run else FirstStage(all=True) if spec["all"] else FirstStage(spec["bm25"]),
        relevant=spec["relevant"],
        vocabulary=rule.params.vocabulary,
        out=rule.output[0],
    )
