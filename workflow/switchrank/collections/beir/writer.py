"""Writes BEIR: what :mod:`switchrank.collections.beir.reader` reads, texts unchanged."""

from pathlib import Path

import polars as pl


def write_collection(
    *, documents: pl.LazyFrame, queries: pl.LazyFrame, judgements: pl.LazyFrame, folder: Path, split: str
) -> None:
    """Write ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/<split>.tsv`` into an empty folder, batch by batch.

    Documents have an empty title, which BEIR's own code joins with the text.

    Args:
        documents, queries, judgements: DOCUMENTS, QUERIES and JUDGEMENTS; their order is kept.
    """
    title = pl.lit("").alias("title")
    documents.select(pl.col("docid").alias("_id"), title, "text").sink_ndjson(folder / "corpus.jsonl")
    queries.select(pl.col("qid").alias("_id"), "text").sink_ndjson(folder / "queries.jsonl")
    (folder / "qrels").mkdir()
    names = {"qid": "query-id", "docid": "corpus-id", "relevance": "score"}
    table = folder / "qrels" / f"{split}.tsv"
    judgements.select(pl.col(one).alias(name) for one, name in names.items()).sink_csv(table, separator="\t")
