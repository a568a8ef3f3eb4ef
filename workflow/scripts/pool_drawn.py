"""Rules pool_*: a mixed pool with one language drawn for each document, as published."""

from switchrank.job import job

with job(snakemake) as rule:
    from switchrank.rank.pools import draw_pool, pool_judgements

    draw_pool(
        texts=dict(zip(rule.params.languages, rule.input.documents, strict=True)),
        seed=rule.params.seed,
        purpose="documents",
        out=rule.output.texts,
        draw_out=rule.output.draw,
    )
    pool_judgements(judgements=rule.input.judgements[0], draw=rule.output.draw, out=rule.output.judgements)
