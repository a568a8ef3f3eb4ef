r"""Training triples: three ids a line, or three texts, as in MS MARCO's ``triples.train.small.tsv``.

The first line tells which of the two: an id holds no white space. Texts are looked up among the queries and documents
of the collection; of documents with equal text the first is meant.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import polars as pl

from switchrank.collections.frames import ROW_GROUP, frames, sink
from switchrank.collections.notes import left_out
from switchrank.collections.rows import triple_rows
from switchrank.files.reading import read_lines
from switchrank.formats.tables import TRIPLES

_SEEDS = (1, 2)
"""Two 64-bit hashes stand for a text: 40 million texts share a pair of them with probability 10^-24."""


def write_triples(
    path: str, documents: Path, empty: pl.Series, queries: pl.DataFrame, folder: Path, limit: float
) -> Path:
    """Write the triples whose two documents have text into a file in ``folder``, which is returned.

    Args:
        path: the triples; of triples of ids the queries are not looked up.
        documents: DOCUMENTS of the source language.
        empty: ids of its documents without text.
        queries: training queries, columns ``qid`` and ``text``.
        folder: where to write.
        limit: largest share of triples that may be lost to empty documents, or to unknown ids or texts.

    Raises:
        UserError: a defective line, or too many triples lost.
    """
    out, raw = folder / "triples-read.parquet", folder / "triples-raw.parquet"
    texts = holds_texts(path)
    sink(frames(triple_rows(path, ids=not texts), TRIPLES), TRIPLES, raw)
    kept = _known_texts(raw, documents, queries) if texts else _known_ids(raw, documents)
    kept.sink_parquet(out, compression="zstd", row_group_size=ROW_GROUP)
    read, of_empty = _rows_of(raw), 0 if texts else _rows_with(raw, empty)
    where = "a text is in no query or document file" if texts else "a document is in no document file"
    left_out(path, of_empty, read, "triples left out: a document is empty", limit)
    left_out(path, read - _rows_of(out) - of_empty, read, f"triples left out: {where}", limit)
    raw.unlink()
    return out


def holds_texts(path: str) -> bool:
    """Whether a file of triples holds texts in place of ids."""
    first = next((line for _, line in islice(read_lines(path), 1)), "")
    fields = first.split("\t")
    return len(fields) == len(TRIPLES) and any(len(part.split()) > 1 for part in fields)


def _rows_of(path: Path) -> int:
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def _known_ids(raw: Path, documents: Path) -> pl.LazyFrame:
    kept = pl.scan_parquet(raw)
    for column in ("positive", "negative"):
        known = pl.scan_parquet(documents).select("docid")
        kept = kept.join(known, left_on=column, right_on="docid", how="semi", maintain_order="left")
    return kept


def _rows_with(raw: Path, docids: pl.Series) -> int:
    """How many triples hold one of these documents."""
    if docids.is_empty():
        return 0
    held = pl.any_horizontal(pl.col(column).is_in(docids.implode()) for column in ("positive", "negative"))
    return int(pl.scan_parquet(raw).select(held.sum()).collect(engine="streaming").item())


def _known_texts(raw: Path, documents: Path, queries: pl.DataFrame) -> pl.LazyFrame:
    """Triples of ids from triples of texts; those with a text that is nowhere go."""
    passages = pl.scan_parquet(documents).select(pl.col("docid").alias("id"), *_hashes("text"))
    asked = queries.lazy().select(pl.col("qid").alias("id"), *_hashes("text"))
    kept = pl.scan_parquet(raw)
    for column, named in (("qid", asked), ("positive", passages), ("negative", passages)):
        first = named.unique(["h1", "h2"], keep="first", maintain_order=True)
        kept = (
            kept.with_columns(*_hashes(column))
            .join(first, on=["h1", "h2"], how="inner", maintain_order="left")
            .drop(column, "h1", "h2")
            .rename({"id": column})
        )
    return kept.select(list(TRIPLES))


def _hashes(column: str) -> list[pl.Expr]:
    return [pl.col(column).hash(seed).alias(f"h{seed}") for seed in _SEEDS]
