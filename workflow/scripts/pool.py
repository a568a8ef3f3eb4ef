"""Rules pool_*: a mixed pool, one language drawn for each document or every document in every language."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.rank.pools import draw_pool, join_pool, pool_judgements

    documents = dict(zip(rule.params.languages, rule.input.documents, strict=True))
    files = {"out": rule.output.texts, "draw_out": rule.output.draw}
    if rule.params.pool == "drawn":
        draw_pool(texts=documents, seed=rule.params.seed, purpose="documents", **files)
        pool_judgements(judgements=rule.input.judgements[0], draw=rule.output.draw, out=rule.output.judgements)
    else:
        listed = {}
        if rule.output.get("candidates"):
            by_language = dict(zip(rule.params.languages, rule.input.candidates, strict=True))
            listed = {"candidates": by_language, "candidates_out": rule.output.candidates}
        join_pool(
            documents=documents,
            judgements=dict(zip(rule.params.languages, rule.input.judgements, strict=True)),
            judgements_out=rule.output.judgements,
            **listed,
            **files,
        )
