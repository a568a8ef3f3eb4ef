"""Compatibility: words as the original experiments split them, by the Penn Treebank rules of NLTK.

Punctuation marks are words too, and text is joined again by NLTK's detokeniser, so it does not come out as it went in,
even where nothing was switched (Litschko et al. 2023, ``codeswitch_clwe.py``).
"""

from functools import cache
from typing import Any

import polars as pl

from switchrank.text.words import Split


def split_treebank(text: str) -> Split:
    """The Treebank tokens of a whole text; all gaps become single spaces."""
    tokens = _treebank("Tokenizer").tokenize(text)
    return tokens, ["", *[" "] * (len(tokens) - 1), ""] if tokens else [""]


def detokenise(texts: pl.Series) -> pl.Series:
    """Texts whose tokens are separated by spaces, joined as NLTK's Treebank detokeniser does it."""
    return pl.Series(texts.name, [_treebank("Detokenizer").detokenize([text]) for text in texts], dtype=pl.String)


@cache
def _treebank(kind: str) -> Any:
    from nltk.tokenize import treebank

    return getattr(treebank, f"TreebankWord{kind}")()
