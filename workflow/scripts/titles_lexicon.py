"""Rule titles_lexicon: translations from titles that are linked across languages."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.lexicon.titles import titles_lexicon

    titles_lexicon(files=list(rule.input), out=rule.output[0], **rule.params.spec)
