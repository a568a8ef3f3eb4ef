"""Rule degraded_lexicon: a lexicon made worse on purpose."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.lexicon.derived import degrade_lexicon

    degrade_lexicon(lexicon=rule.input[0], out=rule.output[0], language=rule.params.lang, **rule.params.spec)
