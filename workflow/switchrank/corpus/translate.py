"""Translate-Test: texts of a test set put word by word into the source language, through a lexicon read backwards.

Term-by-term translation with bilingual dictionaries, after Roy et al. (2020) and the baseline of Litschko et al. (2023,
section 4): every word that the lexicon knows is replaced by its best translation, every other word stays.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.corpus.lexicons import read_sources
from switchrank.corpus.pieces import PieceTable
from switchrank.corpus.recipe import SIDES, read_recipe
from switchrank.corpus.switcher import Switcher
from switchrank.corpus.table import TokenTable
from switchrank.corpus.tokens import texts_schema
from switchrank.formats.tables import read_table, write_table
from switchrank.text.splitting import language_splitter
from switchrank.text.words import Split, Splitter

_BLOCK = 20_000


def translate_texts(
    *,
    texts: str | Path,
    lexicon: str | Path,
    language: str,
    out: str | Path,
    source: str = "en",
    vocabulary: str | Path | None = None,
) -> dict[str, int]:
    """Write ``texts`` with every known word in the language ``source``; ids, order and groups stay.

    Args:
        texts: a documents or queries table (parquet).
        lexicon: lexicon from their language to the source language.
        language: language of the texts.
        out: the table to write (parquet), of the same schema.
        source: the source language.
        vocabulary: vector store prefix, or segmenter:NAME, to cut unspaced text
            (:func:`switchrank.text.splitting.language_splitter`); single spaces then part the words.

    Returns:
        ``{"texts", "tokens", "switched"}``.

    Raises:
        UserError: a file is missing or of another schema, or the lexicon covers no word of the texts.
    """
    schema = texts_schema(texts)
    frame, split = read_table(texts, schema), language_splitter(vocabulary)
    cut = PieceTable(split if vocabulary is None else _spaced(split), whole=vocabulary is not None)
    named = progress(frame["text"], what=f"tokens of {Path(texts).name}", unit="texts")
    recipe = read_recipe({"p": 1.0, "source": language, "sides": dict.fromkeys(SIDES, source)})
    sources = {source: read_sources(lexicon, recipe.translations)}
    switcher = Switcher(TokenTable.of(named, cut), "query", recipe, sources)
    if not switcher.covered[source]:
        raise UserError(lexicon, "source", f"it covers nothing: not one word of {texts}", "check its languages")
    blocks = [np.arange(start, min(start + _BLOCK, len(frame))) for start in range(0, len(frame), _BLOCK)]
    done = [switcher.switch(block, block.astype(np.uint64)).texts for block in blocks]
    write_table(frame.with_columns(pl.concat(done).alias("text")), out, schema)
    report = switcher.counts.report()
    return {name: report[name] for name in ("texts", "tokens", "switched")}


def _spaced(split: Splitter) -> Splitter:
    """The same words, with a space between any two that nothing parts, since their translations need one."""

    def spaced(text: str) -> Split:
        words, gaps = split(text)
        return words, [gap or (" " if 0 < number < len(words) else "") for number, gap in enumerate(gaps)]

    return spaced
