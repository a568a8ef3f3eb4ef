"""Rule encode_words: vectors of the words of one language by a pretrained encoder."""

from switchrank.core.job import job

with job(snakemake) as rule:
    from switchrank.embeddings.encode import encode_words, frequent_words, listed_words
    from switchrank.models.obtain import obtained

    files, most = list(rule.input.words), rule.params.max_words
    if rule.params.texts:
        words = frequent_words(files, most, language=rule.params.lang, vocabulary=rule.params.splitter)
    else:
        words = listed_words(files[0], most)
    with obtained(rule.params.model) as model:
        encode_words(
            model=model, words=words, out=rule.output.words.removesuffix(".words.parquet"), threads=rule.threads
        )
