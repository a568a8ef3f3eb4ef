# Functions of the rules of embeddings: languages, seed pairs of the alignment.


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
