"""Rule lexicon_picture: quality of the lexicons against gold."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.core.languages import Languages
    from switchrank.report.lexicon import lexicon_picture

    lexicon_picture(quality=rule.input[0], out=rule.output[0], languages=Languages(**rule.params.languages))
