"""Rule titles_lexicon: translations from Wikipedia titles and their language links."""

from switchrank.job import job

with job(snakemake) as rule:
    from switchrank.lexicon.titles import titles_lexicon

    titles_lexicon(
        page=rule.input.page,
        langlinks=rule.input.langlinks,
        language=rule.params.lang,
        out=rule.output[0],
        **rule.params.spec,
    )
