"""Compatibility: words as the original experiments cut them, by the Penn Treebank rules of NLTK.

Punctuation marks are words too, and the text that comes out is put together again by NLTK's detokeniser, so it is not
the text that went in, not even where nothing was switched (Litschko et al. 2023, ``codeswitch_clwe.py``).
"""

from __future__ import annotations

from functools import cache

import polars as pl

from switchrank.text.words import Split


def split_treebank(text: str) -> Split:
    """The Treebank tokens of a whole text; the gaps are single spaces, whatever they were."""
    tokens = _tokeniser().tokenize(text)
    return tokens, ["", *[" "] * (len(tokens) - 1), ""] if tokens else [""]


def detokenise(texts: pl.Series) -> pl.Series:
    """Texts whose tokens are parted by spaces, put together as NLTK's Treebank detokeniser does it."""
    return pl.Series(texts.name, [_detokeniser().detokenize([text]) for text in texts], dtype=pl.String)


@cache
def _tokeniser():  # type: ignore[no-untyped-def]  # NLTK has no types
    from nltk.tokenize.treebank import TreebankWordTokenizer

    return TreebankWordTokenizer()


@cache
def _detokeniser():  # type: ignore[no-untyped-def]
    from nltk.tokenize.treebank import TreebankWordDetokenizer

    return TreebankWordDetokenizer()
