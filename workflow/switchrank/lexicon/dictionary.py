"""Given dictionaries as lexicons."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from switchrank.formats.pairs import DictionaryFormat, read_translations
from switchrank.lexicon.derived import write_ranked


def dictionary_lexicon(
    *,
    path: str | Path | Sequence[str | Path],
    out: str | Path,
    format: DictionaryFormat = "auto",
    columns: Sequence[int | str] = (),
    reverse: bool = False,
) -> dict[str, int]:
    """Write a dictionary as a lexicon (``LEXICON``); the first translation of a word is its best.

    Scores are the probabilities of a ``psq`` table; other dictionaries have none.

    Args:
        path: the dictionary; panlex: source file, target file.
        out: lexicon to write (.parquet).
        format: of :func:`switchrank.formats.pairs.read_translations`; auto: by content.
        columns: tsv: numbers from 1, or names.
        reverse: the file translates into the source language.

    Returns:
        ``{"words": distinct sources, "rows": rows}``.

    Raises:
        UserError: see :func:`switchrank.formats.pairs.read_translations`.
    """
    given = read_translations(path, format=format, columns=columns, reverse=reverse)
    pairs = pl.DataFrame(given, schema={"source": pl.String, "target": pl.String, "score": pl.Float32}, orient="row")
    return write_ranked(pairs.unique(["source", "target"], keep="first", maintain_order=True), out)
