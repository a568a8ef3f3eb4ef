"""Rule dictionary_lexicon: a given dictionary as a lexicon."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.lexicon.dictionary import dictionary_lexicon

    dictionary_lexicon(path=list(rule.input), out=rule.output[0], **rule.params.spec)
