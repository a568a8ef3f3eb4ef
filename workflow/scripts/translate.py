"""Rule translate: texts of a test collection, word by word into the source language."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.corpus.translate import translate_texts

    translate_texts(
        texts=rule.input.texts,
        lexicon=rule.input.lexicon,
        language=rule.params.languages[0],
        source=rule.params.languages[1],
        vocabulary=rule.params.vocabulary,
        out=rule.output[0],
    )
