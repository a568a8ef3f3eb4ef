"""Rule candidates: the documents to re-rank, for one document language of a test set."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.rank.candidates import build_candidates

    spec = rule.params.spec
    run = {"run": str(rule.input.run)} if rule.input.get("run") else {}
    build_candidates(
        queries=rule.input.queries,
        documents=rule.input.documents,
        judgements=rule.input.judgements,
        method=run or ({"all": True} if spec["all"] else {"bm25": spec["bm25"]}),
        relevant=spec["relevant"],
        vocabulary=rule.params.vocabulary,
        out=rule.output[0],
    )
