"""English stop words: what is not a content word when switched words are counted, and what Wiki-CS leaves alone."""

from __future__ import annotations

from switchrank.words import key


def stopwords(language: str) -> frozenset[str]:
    """Look-up keys of the stop words of ``language``: the NLTK list for ``en``, none for other languages.

    The list is the one that bm25s ships.
    """
    if language != "en":
        return frozenset()
    from bm25s.stopwords import STOPWORDS_EN_PLUS

    return frozenset(map(key, STOPWORDS_EN_PLUS))
