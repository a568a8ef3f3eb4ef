"""Rules pool_*: a mixed pool of every document in every language."""

from switchrank.job import job

with job(snakemake) as rule:
    from switchrank.rank.pools import join_pool

    by_language = {
        name: dict(zip(rule.params.languages, rule.input[name], strict=True))
        for name in ("documents", "judgements", "candidates")
    }
    join_pool(
        **by_language,
        out=rule.output.texts,
        judgements_out=rule.output.judgements,
        candidates_out=rule.output.candidates,
        draw_out=rule.output.draw,
    )
