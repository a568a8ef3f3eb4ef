"""Rule sentences: the same instances in English and in every switched corpus, in colour."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.report.sentences import switched_sentences

    corpora = [
        {"corpus": name, "path": path, "lexicons": lexicons}
        for (name, lexicons), path in zip(rule.params.names.items(), rule.input.corpora, strict=True)
    ]
    switched_sentences(
        corpora=corpora,
        source=rule.input.source,
        languages=rule.params.languages,
        rtl=rule.params.rtl,
        first=rule.params.first,
        out=rule.output[0],
    )
