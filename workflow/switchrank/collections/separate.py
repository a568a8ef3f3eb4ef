"""A collection whose documents, queries and judgements are separate: files per language, one of judgements per split.

How the rows of each file are written is told (:class:`~switchrank.collections.rows.Rows`); what the files have to do
with each other is here. Passages and triples pass through in batches; in memory stay the queries, the judgements and
one language's ids.
Ids are parallel: a judgement holds in every language that has the document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from switchrank.collections.batches import sink
from switchrank.collections.groups import connected_groups
from switchrank.collections.judged import read_judgements
from switchrank.collections.notes import left_out, note
from switchrank.collections.parsed import Parsed
from switchrank.collections.roles import check_separate
from switchrank.collections.rows import Rows, TextRows
from switchrank.collections.spec import CollectionSpec
from switchrank.collections.tab_lines import read_topics
from switchrank.collections.texts import TextFile, read_queries
from switchrank.collections.triples import write_triples
from switchrank.core.errors import UserError
from switchrank.formats.tables import DOCUMENTS, QUERIES


def read_separate(spec: CollectionSpec, files: Mapping[str, str], folder: Path, rows: Rows) -> Parsed:
    """Read a collection whose files are written as ``rows`` says; its DOCUMENTS are written into ``folder`` on the way.

    A query's group is the topic of its relevant document, or that document's id where no topics are given; queries
    that share relevant documents or topics share one group. Judgements of queries that no query file holds are left
    out and counted, as are judgements and triples of documents that are empty or unknown.

    Raises:
        UserError: a defect of a file, or too many rows left out.
    """
    topics = read_topics(files["groups"]) if "groups" in files else None
    asked = {
        (split, language): read_queries(
            spec.parts(files, f"queries/{split}/{language}"), rows.queries, language, spec.max_skipped
        )
        for split in spec.splits
        for language in spec.query_languages(split)
    }
    judged = {split: _judgements(spec, files, split, asked, rows) for split in spec.splits}
    documents = {
        language: write_documents(spec, files, language, rows.documents, folder, topics) for language in spec.languages
    }
    judgements = {}
    queries = {}
    for split, frame in judged.items():
        present = _present(files[f"judgements/{split}"], frame, documents, spec.max_skipped)
        for language in spec.judged_languages(split):
            judgements[split, language] = present[language].drop("place")
        groups = _query_groups(pl.concat(present[language] for language in spec.judged_languages(split)), topics)
        for language in spec.query_languages(split):
            grouped = asked[split, language].join(groups, on="qid", how="left", maintain_order="left")
            queries[split, language] = grouped.select(list(QUERIES))
    triples = None
    if spec.triples:
        here = documents[spec.source]
        triples = write_triples(
            files["triples/train"], here.path, here.empty, asked["train", spec.source], folder, spec.max_skipped
        )
    return Parsed(queries, judgements, {language: made.rows for language, made in documents.items()}, triples)


def reader(rows: Rows) -> tuple[Callable[..., Parsed], Callable[[CollectionSpec, Mapping[str, str]], None]]:
    """``read_collection`` and ``check_roles`` of a format whose files are written as ``rows`` says.

    Its options are settings of them.
    """

    def read_collection(
        spec: CollectionSpec,
        files: Mapping[str, str],
        folder: Path,
        *,
        documents: Mapping[str, Any] = MappingProxyType({}),
        queries: Mapping[str, Any] = MappingProxyType({}),
        judgements: Mapping[str, Any] = MappingProxyType({}),
    ) -> Parsed:
        given = {"documents": documents, "queries": queries, "judgements": judgements}
        return read_separate(spec, files, folder, rows.changed(given))

    return read_collection, check_separate


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


def write_documents(
    spec: CollectionSpec,
    files: Mapping[str, str],
    language: str,
    reads: TextRows,
    folder: Path,
    topics: pl.DataFrame | None = None,
) -> Documents:
    """Write one language's DOCUMENTS into ``folder``, batch by batch.

    Args:
        spec, files: the collection; its role ``documents/<language>`` has the files.
        language: which.
        reads: how the rows of a file are written.
        folder: where ``documents-<language>.parquet`` goes.
        topics: group of each document; without them each is a group of its own.

    Raises:
        UserError: a defect of a file, an id twice, or more empty documents than the collection allows.
    """
    parts, out = spec.parts(files, f"documents/{language}"), folder / f"documents-{language}.parquet"
    source = TextFile(parts, "document", reads, language, spec.max_skipped)
    sink((_with_groups(batch, topics) for batch in source.batches()), DOCUMENTS, out)
    documents = Documents(out, source)
    if topics is not None:
        without = documents.ids().to_frame().join(topics, on="docid", how="anti")
        note(source.name, len(without), "documents without a topic, each taken as a group of its own")
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


def _judgements(
    spec: CollectionSpec,
    files: Mapping[str, str],
    split: str,
    asked: Mapping[tuple[str, str], pl.DataFrame],
    rows: Rows,
) -> pl.DataFrame:
    """The judgements of a split's queries. Qrels often cover more queries than a file holds: the rest is counted."""
    path = files[f"judgements/{split}"]
    frame = read_judgements(spec.parts(files, f"judgements/{split}"), rows.judgements)
    qids = pl.concat(queries.select("qid") for (name, _), queries in asked.items() if name == split).unique()
    kept = frame.join(qids, on="qid", how="semi", maintain_order="left")
    if kept.is_empty():
        raise UserError(path, "", "judges none of the queries", "give queries and judgements of the same split")
    note(path, len(frame) - len(kept), "judgements left out: no query file holds their query")
    return kept


def _present(
    path: str, judged: pl.DataFrame, documents: Mapping[str, Documents], limit: float
) -> dict[str, pl.DataFrame]:
    """The judgements of a split by document language, restricted to the documents each language has.

    Raises:
        UserError: too many judge an empty document, or one that is in no language.
    """
    present, lacking = {}, {}
    unknown = judged
    for language, made in documents.items():
        ids = made.ids().to_frame()
        present[language] = judged.join(ids, on="docid", how="semi", maintain_order="left")
        unknown = unknown.join(ids, on="docid", how="anti", maintain_order="left")
        unknown = unknown.join(made.empty.to_frame(), on="docid", how="anti", maintain_order="left")
        gone = judged.join(made.empty.to_frame(), on="docid", how="semi")
        left_out(path, len(gone), len(judged), f"judgements left out: their document is empty in {language}", limit)
        lacking[language] = len(judged) - len(present[language]) - len(gone)
    if len(unknown):
        row = unknown.row(0, named=True)
        what = f"judgements left out: their document is in no document file, the first {row['docid']} in {row['place']}"
        left_out(path, len(unknown), len(judged), what, limit)
    for language, count in lacking.items():
        note(path, count - len(unknown), f"judgements left out: their document is not in {language}")
    return present


def _query_groups(judged: pl.DataFrame, topics: pl.DataFrame | None) -> pl.DataFrame:
    relevant = judged.filter(pl.col("relevance") >= 1).unique(["qid", "docid"], keep="first", maintain_order=True)
    links = _labelled(relevant, topics, "label").select("qid", "label")
    return connected_groups(links)
