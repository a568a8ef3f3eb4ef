# Functions of the rules of lexicons.


def lexicons_of(kind):
    """A wildcard constraint: the lexicons of a kind."""
    return (
        "|".join(
            name for name, section in CONFIG.lexicons.items() if section.kind == kind
        )
        or "none"
    )


def titles_spec(lexicon, lang):
    """How title files are read and cleaned; the languages as the files name them."""
    section = CONFIG.lexicons[lexicon]
    spec = section.plain("kind", "page", "langlinks", "path", "languages", "codes")
    return spec | {"source": section.code(SOURCE), "language": section.code(lang)}
