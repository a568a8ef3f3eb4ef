"""Rules wikitext_*: the prose of a pages-articles dump, as plain text."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.sources.wikitext import write_wikitext

    write_wikitext(dumps=list(rule.input), out=rule.output[0])
