"""Texts that belong to no instance, switched as those of a corpus are: plain lines, and Translate-Test."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.corpus.tokens import texts_schema
from switchrank.formats.tables import read_table, write_table
from switchrank.switching.lines import LineSwitcher
from switchrank.switching.pieces import ArrayPieceTable, PieceTable
from switchrank.switching.recipe import SIDES, read_recipe
from switchrank.switching.switcher import Switcher
from switchrank.switching.table import TokenTable, read_sources
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

    Translate-Test: every word that the lexicon knows is replaced by its best translation, every other word stays, after
    Roy et al. (2020) and the baseline of Litschko et al. (2023, section 4).

    Args:
        texts: a documents or queries table (parquet).
        lexicon: lexicon from their language to the source language.
        language: language of the texts.
        out: the table to write (parquet), of the same schema.
        source: the source language.
        vocabulary: vector store prefix, or segmenter:NAME, to cut unspaced text; words then get spaces between them.

    Returns:
        ``{"texts", "tokens", "switched"}``.

    Raises:
        UserError: a file is missing or of another schema, or the lexicon covers no word of the texts.
    """
    schema = texts_schema(texts)
    frame, split = read_table(texts, schema), language_splitter(vocabulary)
    cut = ArrayPieceTable() if vocabulary is None else PieceTable(_spaced(split))
    table = TokenTable.of(frame["text"], cut, f"tokens of {Path(texts).name}")
    recipe = read_recipe({"p": 1.0, "source": language, "sides": dict.fromkeys(SIDES, source)})
    sources = {source: read_sources(lexicon, recipe.translations)}
    switcher = Switcher(table, "query", recipe, sources)
    if not switcher.covered[source]:
        raise UserError(lexicon, "source", f"it covers nothing: not one word of {texts}", "check its languages")
    blocks = [np.arange(start, min(start + _BLOCK, len(frame))) for start in range(0, len(frame), _BLOCK)]
    done = [switcher.switch(block, block.astype(np.uint64)) for block in blocks]
    write_table(frame.with_columns(pl.concat(done).alias("text")), out, schema)
    report = switcher.report()
    return {name: report[name] for name in ("texts", "tokens", "switched")}


def _spaced(split: Splitter) -> Splitter:
    """The same words, with a space between any two that touch, since their translations need one."""

    def spaced(text: str) -> Split:
        words, gaps = split(text)
        return words, [gap or (" " if 0 < number < len(words) else "") for number, gap in enumerate(gaps)]

    return spaced


def switch_lines(
    lines: list[str],
    *,
    lexicons: Mapping[str, str | Path],
    recipe: dict[str, Any] | None = None,
    vocabulary: str | Path | None = None,
) -> list[str]:
    """The lines, switched to the languages of ``lexicons``; line i gets the draws of the query of instance i.

    ``lexicons`` maps languages, mixed in this order, to tables ``LEXICON``; ``recipe`` holds keys of
    :class:`switchrank.switching.recipe.Recipe` that do not follow from these, such as ``p``; ``vocabulary`` cuts lines
    without spaces. UserError if a lexicon is missing or of another schema, or the recipe is wrong.
    """
    numbers = range(len(lines))
    return LineSwitcher(lines, lexicons, recipe, vocabulary)(numbers, numbers).to_list()
