"""Rule vectors_lexicon: translations by nearest neighbours."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.lexicon.induce import induce_lexicon
    from switchrank.search.choices import Choice

    induce_lexicon(
        source=rule.input.source_words.removesuffix(".words.parquet"),
        target=rule.input.target_words.removesuffix(".words.parquet"),
        out=rule.output[0],
        choice=Choice(**rule.params.spec),
        threads=rule.threads,
    )
