"""Writes BEIR: what :mod:`switchrank.collections.beir.reader` reads, texts unchanged."""

from pathlib import Path

import polars as pl

_BATCH = 10_000
"""Rows in memory at a time; what Polars sinks by itself piles up before the one writer of lines."""


def write_collection(
    *, documents: pl.LazyFrame, queries: pl.LazyFrame, judgements: pl.LazyFrame, folder: Path, split: str
) -> None:
    """Write ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/<split>.tsv`` into an empty folder, batch by batch.

    Documents have an empty title, which BEIR's own code joins with the text.

    Args:
        documents, queries, judgements: DOCUMENTS, QUERIES and JUDGEMENTS; their order is kept.
    """
    title = pl.lit("").alias("title")
    _write_lines(documents.select(pl.col("docid").alias("_id"), title, "text"), folder / "corpus.jsonl")
    _write_lines(queries.select(pl.col("qid").alias("_id"), "text"), folder / "queries.jsonl")
    (folder / "qrels").mkdir()
    names = {"qid": "query-id", "docid": "corpus-id", "relevance": "score"}
    table = folder / "qrels" / f"{split}.tsv"
    judgements.select(pl.col(one).alias(name) for one, name in names.items()).sink_csv(table, separator="\t")


def _write_lines(rows: pl.LazyFrame, path: Path) -> None:
    count = rows.select(pl.len()).collect().item()
    with path.open("wb") as file:
        for start in range(0, count, _BATCH):
            rows.slice(start, _BATCH).collect().write_ndjson(file)
