"""A collection from MS MARCO-style files: one passage and query file per language, one judgement file per split.

Passages and triples pass through in batches; in memory stay the queries, the judgements and one language's ids.
Ids are parallel: a judgement holds in every language that has the document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from switchrank.errors import UserError
from switchrank.formats.tables import DOCUMENTS, QUERIES, TRIPLES, Schema
from switchrank.sources.notes import note
from switchrank.sources.spec import CollectionSpec
from switchrank.sources.split import connected_groups
from switchrank.sources.tables import Parsed
from switchrank.sources.tsv import BATCH, TextFile, read_judgements, read_queries, read_topics, triple_batches


def read_collection(spec: CollectionSpec, files: Mapping[str, str], folder: Path) -> Parsed:
    """Read a collection; its DOCUMENTS are written into ``folder`` on the way.

    A query's group is the topic of its relevant document, or that document's id where no topics are given; queries
    that share relevant documents or topics share one group. Judgements of queries that no query file holds are left
    out and counted, as are judgements of empty documents.

    Raises:
        UserError: a defect of a file, or a judgement or triple of an unknown document.
    """
    topics = read_topics(files["groups"]) if "groups" in files else None
    asked = {
        (split, language): read_queries(files[f"queries/{split}/{language}"])
        for split in spec.splits
        for language in spec.query_languages(split)
    }
    judged = {split: _judgements(files[f"judgements/{split}"], split, asked) for split in spec.splits}
    documents = {
        language: _write_documents(files[f"documents/{language}"], topics, folder / f"documents-{language}.parquet")
        for language in spec.languages
    }
    judgements = {}
    queries = {}
    for split, frame in judged.items():
        present = _present(files[f"judgements/{split}"], frame, documents)
        for language in spec.judged_languages(split):
            judgements[split, language] = present[language].drop("line")
        groups = _query_groups(pl.concat(present[language] for language in spec.judged_languages(split)), topics)
        for language in spec.query_languages(split):
            grouped = asked[split, language].join(groups, on="qid", how="left", maintain_order="left")
            queries[split, language] = grouped.select(list(QUERIES))
    triples = _write_triples(files["triples/train"], documents[spec.source], folder) if spec.triples else None
    return Parsed(queries, judgements, {language: made.rows for language, made in documents.items()}, triples)


class Documents:
    """One language's documents on disk.

    Attributes:
        path: the DOCUMENTS file.
        rows: how many there are.
        empty: ids of documents that were left out because they have no text.
    """

    def __init__(self, path: Path, source: TextFile) -> None:
        self.path = path
        ids = self.ids()
        source.check_ids(ids)
        self.rows = len(ids)
        self.empty = pl.Series("docid", list(source.empty), dtype=pl.String)

    def ids(self) -> pl.Series:
        """The ``docid`` column, read anew so that only one language's ids are in memory at a time."""
        return pl.read_parquet(self.path, columns=["docid"])["docid"]


def _write_documents(path: str, topics: pl.DataFrame | None, out: Path) -> Documents:
    source = TextFile(path, "document")
    _sink((_with_groups(batch, topics) for batch in source.batches()), DOCUMENTS, out)
    documents = Documents(out, source)
    first = next(iter(source.empty.values()), 0)
    note(path, len(source.empty), f"empty documents left out, the first in line {first}")
    if topics is not None:
        without = documents.ids().to_frame().join(topics, on="docid", how="anti")
        note(path, len(without), "documents without a topic, each taken as a group of its own")
    return documents


def _with_groups(batch: pl.DataFrame, topics: pl.DataFrame | None) -> pl.DataFrame:
    batch = batch.rename({"id": "docid"})
    return _labelled(batch, topics, "group").select(list(DOCUMENTS))


def _labelled(frame: pl.DataFrame, topics: pl.DataFrame | None, name: str) -> pl.DataFrame:
    """Add column ``name``: the topic of ``docid``, or ``docid`` itself where there is none."""
    if topics is None:
        return frame.with_columns(pl.col("docid").alias(name))
    joined = frame.join(topics.rename({"group": name}), on="docid", how="left", maintain_order="left")
    return joined.with_columns(pl.col(name).fill_null(pl.col("docid")))


def _sink(batches: Iterable[pl.DataFrame], schema: Schema, out: Path) -> None:
    """Write frames of ``schema``, one after the other, into one parquet file without holding them all."""

    def scan(_columns: Any, _predicate: Any, _rows: Any, _size: Any) -> Iterator[pl.DataFrame]:
        yield from batches

    source = register_io_source(scan, schema=pl.Schema(schema))
    source.sink_parquet(out, compression="zstd", row_group_size=4 * BATCH)


def _judgements(path: str, split: str, asked: Mapping[tuple[str, str], pl.DataFrame]) -> pl.DataFrame:
    """The judgements of a split's queries. Qrels often cover more queries than a file holds: the rest is counted."""
    frame = read_judgements(path)
    qids = pl.concat(queries.select("qid") for (name, _), queries in asked.items() if name == split).unique()
    kept = frame.join(qids, on="qid", how="semi", maintain_order="left")
    if kept.is_empty():
        raise UserError(path, "", "judges none of the queries", "give queries and judgements of the same split")
    note(path, len(frame) - len(kept), "judgements left out: no query file holds their query")
    return kept


def _present(path: str, judged: pl.DataFrame, documents: Mapping[str, Documents]) -> dict[str, pl.DataFrame]:
    """The judgements of a split by document language, restricted to the documents each language has."""
    present = {}
    unknown = judged
    for language, made in documents.items():
        ids = made.ids().to_frame()
        present[language] = judged.join(ids, on="docid", how="semi", maintain_order="left")
        unknown = unknown.join(ids, on="docid", how="anti", maintain_order="left")
        unknown = unknown.join(made.empty.to_frame(), on="docid", how="anti", maintain_order="left")
        gone = judged.join(made.empty.to_frame(), on="docid", how="semi")
        note(path, len(gone), f"judgements left out: their document is empty in {language}")
        lacking = len(judged) - len(present[language]) - len(gone)
        note(path, lacking, f"judgements left out: their document is not in {language}")
    if len(unknown):
        row = unknown.row(0, named=True)
        problem = f"document {row['docid']} is in no document file"
        raise UserError(path, f"line {row['line']}", problem, "correct the id or add the document")
    return present


def _query_groups(judged: pl.DataFrame, topics: pl.DataFrame | None) -> pl.DataFrame:
    relevant = judged.filter(pl.col("relevance") >= 1).unique(["qid", "docid"], keep="first", maintain_order=True)
    links = _labelled(relevant, topics, "label").select("qid", "label")
    return connected_groups(links)


def _write_triples(path: str, documents: Documents, folder: Path) -> Path:
    """Write the triples whose two documents have text; their queries are not looked at."""
    raw, out = folder / "triples-raw.parquet", folder / "triples-read.parquet"
    _sink(triple_batches(path), TRIPLES, raw)
    ids = pl.concat([documents.ids(), documents.empty]).to_frame().lazy()
    empty = documents.empty.to_frame().lazy()
    kept = pl.scan_parquet(raw)
    for column in ("positive", "negative"):
        rows = pl.scan_parquet(raw, row_index_name="row")
        unknown = rows.join(ids, left_on=column, right_on="docid", how="anti").select("row", column)
        first = unknown.bottom_k(1, by="row").collect(engine="streaming")
        if len(first):
            row, docid = first.row(0)
            problem = f"document {docid} is not in the source language's document file"
            raise UserError(path, f"line {row + 1}", problem, "correct the id or add the document")
        kept = kept.join(empty, left_on=column, right_on="docid", how="anti", maintain_order="left")
    kept.sink_parquet(out, compression="zstd", row_group_size=4 * BATCH)
    lost = _rows(raw) - _rows(out)
    note(path, lost, "triples left out: a document is empty")
    raw.unlink()
    return out


def _rows(path: Path) -> int:
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())
