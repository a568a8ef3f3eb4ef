"""Token tables: each text of a collection split into words and gaps once, for every corpus made from it."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import UserError
from switchrank.formats.streams import count_rows, read_slices, write_stream
from switchrank.formats.tables import DOCUMENTS, KEYS, PIECES, QUERIES, TOKENS, Schema, scan_table, write_table
from switchrank.switching.pieces import TOKEN_FILES, ArrayPieceTable, PieceTable, encoded, split_treebank
from switchrank.text.splitting import language_splitter


def build_tokens(
    *,
    texts: str | Path,
    out: str | Path,
    vocabulary: str | Path | None = None,
    treebank: bool = False,
    overwrite: bool = False,
) -> dict[str, int]:
    """Write the token table of a ``DOCUMENTS`` or ``QUERIES`` table into the folder ``out``.

    ``tokens.parquet`` (``TOKENS``) holds the texts in their order, ``pieces.parquet`` (``PIECES``) the distinct words
    and gaps and ``keys.parquet`` (``KEYS``) the distinct look-up keys, both numbered as they are met. Texts are read
    and written in blocks; only the distinct strings stay in memory.

    Args:
        texts: a documents or queries table (parquet).
        out: the folder to write.
        vocabulary: vector store prefix, or segmenter:NAME, to cut unspaced text.
        treebank: compatibility: NLTK's Treebank tokens; joined they are the text only after detokenising.
        overwrite: replace an older folder ``out`` whatever it holds.

    Returns:
        ``texts``, ``words`` (running), ``pieces`` and ``keys`` (distinct).

    Raises:
        UserError: the table is missing, unreadable, or of another schema; ``out`` holds other things.
    """
    frame = scan_table(texts, texts_schema(texts))
    if treebank:
        table = PieceTable(split_treebank)
    else:
        table = PieceTable(language_splitter(vocabulary)) if vocabulary else ArrayPieceTable()
    counts = {"texts": 0, "words": 0}
    with atomic_folder(out, "a token table", overwrite=overwrite) as folder:
        tokens, pieces, keys = (folder / name for name in TOKEN_FILES)
        write_stream(_encoded(frame, table, counts, Path(texts).name), tokens, TOKENS)
        piece_table, key_table = table.tables()
        write_table(piece_table, pieces, PIECES)
        write_table(key_table, keys, KEYS)
    return {**counts, "pieces": piece_table.height, "keys": key_table.height}


def texts_schema(path: str | Path) -> Schema:
    """``DOCUMENTS`` if the table has its columns, else ``QUERIES``."""
    try:
        scan_table(path, DOCUMENTS)
    except UserError as error:
        if error.place == "columns":
            return QUERIES
        raise
    return DOCUMENTS


def _encoded(frame: pl.LazyFrame, table: PieceTable, counts: dict[str, int], name: str) -> Iterator[pl.DataFrame]:
    rows = count_rows(frame)
    for part, pieces in encoded(table, read_slices(frame, 0, rows), rows, f"tokens of {name}"):
        counts["texts"] += part.height
        counts["words"] += int((pieces.list.len() // 2).sum())
        yield pl.DataFrame({"id": part.to_series(0), "pieces": pieces})
