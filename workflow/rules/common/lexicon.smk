# Functions of the rules of lexicons.


def lexicons_of(*kinds):
    """A wildcard constraint: the lexicons of some kinds."""
    return (
        "|".join(
            name for name, section in CONFIG.lexicons.items() if section.kind in kinds
        )
        or "none"
    )


def induced_from(wildcards):
    """The vectors of both languages that a lexicon is induced from."""
    sides = {"source": wildcards.src, "target": wildcards.tgt}
    return {
        f"{side}_{part}": file
        for side, lang in sides.items()
        for part, file in store(PLAN.lexicon_vectors(wildcards.lexicon, lang)).items()
    }


def titles_spec(lexicon, lang):
    """How title files are read and cleaned; the languages as the files name them."""
    section = CONFIG.lexicons[lexicon]
    spec = section.plain("kind", "page", "langlinks", "path", "languages", "codes")
    return spec | {"source": section.code(SOURCE), "language": section.code(lang)}
