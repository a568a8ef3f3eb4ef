"""Rule pool_queries: the queries of a mixed pool, one language drawn for each."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.rank.pools import draw_pool

    draw_pool(
        texts=dict(zip(rule.params.languages, rule.input, strict=True)),
        seed=rule.params.seed,
        purpose="queries",
        out=rule.output.texts,
        draw_out=rule.output.draw,
    )
