"""A collection whose documents, queries and judgements are separate: files per language, one of judgements per split.

How the rows of each file are written is given (:class:`~switchrank.collections.rows.Rows`); what the files have to do
with each other is here. Passages and triples pass through in batches; memory holds the queries, the judgements and one
language's ids. Ids are parallel: a judgement holds in every language that has the document.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from switchrank.collections.frames import connected_groups, sink
from switchrank.collections.notes import left_out, note
from switchrank.collections.rows import Rows, TextRows, read_topics
from switchrank.collections.spec import CollectionSpec, Parsed, check_separate
from switchrank.collections.texts import TextFile, read_judgements, read_queries, write_triples
from switchrank.core.errors import UserError
from switchrank.formats.tables import DOCUMENTS, QUERIES


def reader(rows: Rows) -> tuple[Callable[..., Parsed], Callable[[CollectionSpec, Mapping[str, str]], None]]:
    """``read_collection`` and ``check_roles`` of a format whose files are written as ``rows`` says."""
    return partial(read_separate, rows), check_separate


def read_separate(
    rows: Rows,
    spec: CollectionSpec,
    files: Mapping[str, str],
    folder: Path,
    *,
    documents: Mapping[str, Any] = MappingProxyType({}),
    queries: Mapping[str, Any] = MappingProxyType({}),
    judgements: Mapping[str, Any] = MappingProxyType({}),
) -> Parsed:
    """Read a collection whose files are written as ``rows`` says; its DOCUMENTS are written into ``folder`` on the way.

    The options ``documents``, ``queries`` and ``judgements`` change single settings of how the files are written.

    A query's group is the topic of its relevant document, or that document's id where no topics are given; queries
    that share relevant documents or topics share one group. Judgements of queries that no query file holds are left
    out and counted, as are judgements and triples of documents that are empty or unknown.

    Raises:
        UserError: a defect of a file, or too many rows left out.
    """
    rows = rows.changed({"documents": documents, "queries": queries, "judgements": judgements})
    topics = read_topics(files["groups"]) if "groups" in files else None
    asked = {
        (split, language): read_queries(
            spec.parts(files, f"queries/{split}/{language}"), rows.queries, language, spec.max_skipped
        )
        for split in spec.splits
        for language in spec.query_languages(split)
    }
    judged = {split: _judgements(spec, files, split, asked, rows) for split in spec.splits}
    made = {
        language: write_documents(spec, files, language, rows.documents, folder, topics) for language in spec.languages
    }
    parsed = Parsed({}, {}, {language: one.rows for language, one in made.items()})
    for split, frame in judged.items():
        languages = spec.judged_languages(split)
        present = _present(files[f"judgements/{split}"], frame, made, spec.max_skipped)
        relevant = pl.concat(present[language] for language in languages).filter(pl.col("relevance") >= 1)
        links = _labelled(relevant.unique(["qid", "docid"], keep="first", maintain_order=True), topics, "label")
        groups = connected_groups(links.select("qid", "label"))
        for language in languages:
            parsed.judgements[split, language] = present[language].drop("place")
        for language in spec.query_languages(split):
            grouped = asked[split, language].join(groups, on="qid", how="left", maintain_order="left")
            parsed.queries[split, language] = grouped.select(list(QUERIES))
    if not spec.triples:
        return parsed
    here, training = made[spec.source], asked["train", spec.source]
    triples = write_triples(files["triples/train"], here.path, here.empty["docid"], training, folder, spec.max_skipped)
    return replace(parsed, triples=triples)


@dataclass(frozen=True)
class Documents:
    """One language's DOCUMENTS on disk, how many there are, and the ids of those left out for lack of a text."""

    path: Path
    rows: int
    empty: pl.DataFrame


def write_documents(
    spec: CollectionSpec,
    files: Mapping[str, str],
    language: str,
    reads: TextRows,
    folder: Path,
    topics: pl.DataFrame | None = None,
) -> Documents:
    """Write the documents of one language into ``documents-<language>.parquet`` of ``folder``, batch by batch.

    ``topics`` are the groups of documents; without them each document is a group of its own.

    Raises:
        UserError: a defect of a file, an id twice, or more empty documents than the collection allows.
    """
    out = folder / f"documents-{language}.parquet"
    parts = spec.parts(files, f"documents/{language}")
    source = TextFile(parts, "document", reads, language, spec.max_skipped)
    batches = (_labelled(batch.rename({"id": "docid"}), topics, "group") for batch in source.batches())
    sink((batch.select(list(DOCUMENTS)) for batch in batches), DOCUMENTS, out)
    ids = pl.read_parquet(out, columns=["docid"])
    source.check_ids(ids["docid"])
    if topics is not None:
        without = len(ids.join(topics, on="docid", how="anti"))
        note(source.name, without, "documents without a topic, each taken as a group of its own")
    return Documents(out, len(ids), pl.DataFrame({"docid": list(source.empty)}, schema={"docid": pl.String}))


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
    """The judgements of a split by document language, restricted to the documents each language has."""
    present, lacking = {}, {}
    unknown = judged
    for language, made in documents.items():
        ids = pl.read_parquet(made.path, columns=["docid"])  # of one language at a time
        present[language] = judged.join(ids, on="docid", how="semi", maintain_order="left")
        for known in (ids, made.empty):
            unknown = unknown.join(known, on="docid", how="anti", maintain_order="left")
        gone = judged.join(made.empty, on="docid", how="semi")
        left_out(path, len(gone), len(judged), f"judgements left out: their document is empty in {language}", limit)
        lacking[language] = len(judged) - len(present[language]) - len(gone)
    if len(unknown):
        row = unknown.row(0, named=True)
        what = f"judgements left out: their document is in no document file, the first {row['docid']} in {row['place']}"
        left_out(path, len(unknown), len(judged), what, limit)
    for language, count in lacking.items():
        note(path, count - len(unknown), f"judgements left out: their document is not in {language}")
    return present
