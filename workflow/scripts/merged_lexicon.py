"""Rule merged_lexicon: several lexicons as one."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.lexicon.derived import merge_lexicons

    merge_lexicons(lexicons=list(rule.input), out=rule.output[0])
