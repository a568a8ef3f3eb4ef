# Functions of the rules of embeddings: languages, seed pairs of the alignment, encoders.


def languages_where(test):
    """A wildcard constraint: the vector languages for which `test` holds."""
    return "|".join(lang for lang in CONFIG.vector_sources if test(lang)) or "none"


def seed_file(wildcards):
    """The file that alignment takes its seed pairs from, if any."""
    seed = CONFIG.vectors.alignment.seed_pairs
    if seed in CONFIG.lexicons:
        return PLAN.lexicon_file(seed, wildcards.lang)
    return [] if seed == "identical" else seed.format(lang=wildcards.lang)


def seed_kind():
    """`lexicon`, `identical` or `dictionary`."""
    seed = CONFIG.vectors.alignment.seed_pairs if CONFIG.vectors else "identical"
    return (
        "lexicon"
        if seed in CONFIG.lexicons
        else "identical" if seed == "identical" else "dictionary"
    )


def of_texts(wildcards):
    """Whether the words that are encoded are counted in documents."""
    return CONFIG.encoders[wildcards.lexicon].words == "texts"


def encoder_files(wildcards):
    """The files of the model that encodes words: of a start, or of a folder of this machine; none of one elsewhere."""
    model = CONFIG.encoders[wildcards.lexicon].model
    if model in PLAN.starts:
        return PLAN.starts[model].files_of(CONFIG.seeds[0])
    return model_files(model)


def encoder(wildcards):
    """The model that encodes words, as a job has it: its folder or hub name, or all that the catalogue says of it."""
    model = CONFIG.encoders[wildcards.lexicon].model
    if model in PLAN.starts:
        return PLAN.starts[model].folder_of(CONFIG.seeds[0])
    return described(model)


def encoding_code(wildcards):
    """The digest of the code that encodes words."""
    return copying_code(CONFIG.encoders[wildcards.lexicon].model, "embeddings.encode")
