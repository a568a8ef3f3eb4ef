from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from switchrank.collections.msmarco.reader import ROWS
from switchrank.collections.rows import triple_rows
from switchrank.identify import entries
from switchrank.identify.columns import MOST, Columns, columns_of, is_id, is_whole
from switchrank.identify.kinds import IDS, TEXTS, FolderKind, Kind, Look, Row, texts
from switchrank.identify.source import Source

_ENTRY = partial(entries.collection, "msmarco", languages="[$language]")
_entry = partial(
    _ENTRY,
    splits="[test]",
    documents=entries.DOCUMENTS,
    queries=entries.QUERIES,
    judgements=entries.JUDGEMENTS,
)


def _is_texts(table: Columns) -> bool:
    """Whether lines are an id, hardly ever the same, and something else."""
    if table.width != 2 or not table.most(lambda row: is_id(row[0])):
        return False
    return len({row[0] for row in table.rows}) > MOST * len(table.rows)


def _are_documents(source: Source) -> bool:
    """Whether texts are long, or, where length is no sign, what the file is called."""
    table = columns_of(source)
    if not _is_texts(table):
        return False
    letters = table.mean(1, lambda field: len(field.decode("utf-8", "replace")))
    dense = table.mean(1, len) > 2.2 * letters
    called = "quer" in table.name or "topic" in table.name
    return letters > (80 if dense else 250) or (letters > (20 if dense else 60) and not called)


def _are_triples(source: Source) -> bool:
    """Whether lines are three ids; runs and judgements, which are surer kinds, have been ruled out."""
    table = columns_of(source)
    if table.width != 3 or not table.of_ids:
        return False
    return table.most(lambda row: is_whole(row[2])) or table.most(lambda row: all(map(is_id, row)))


def _triples(path: str, look: Look) -> Iterator[Row]:
    for number, row in enumerate(triple_rows(path, defect=look.problems.take), 1):
        if number <= 3:
            look.found.samples.append(" | ".join(row))
        yield f"line {number}", None, ()


KINDS = (
    Kind(
        "documents-tsv",
        "documents, id and text (MS MARCO and mMARCO collection, CLIRMatrix)",
        "documents",
        _are_documents,
        IDS,
        texts(ROWS.documents),
        same="docid",
        entry=_entry(documents="$path"),
    ),
    Kind(
        "queries-tsv",
        "queries, id and text (MS MARCO, mMARCO; topics of MIRACL and CIRAL)",
        "queries",
        lambda source: _is_texts(columns_of(source)),
        IDS + 1,
        texts(ROWS.queries),
        same="qid",
        entry=_entry(queries="$path"),
    ),
    Kind(
        "msmarco-triples-ids",
        "training triples by id: query, relevant passage, other passage (MS MARCO, mMARCO, sbert)",
        "triples",
        _are_triples,
        TEXTS,
        _triples,
        ("qid", "positive", "negative"),
        entry=_entry(splits="[train]", triples="$path"),
    ),
)


def _files(path: Path, names: list[str]) -> dict[str, str]:
    def first(*patterns: str) -> str:
        found = [name for pattern in patterns for name in names if fnmatch.fnmatch(name, pattern)]
        return str(path / found[0]) if found else patterns[0]

    return {
        "documents": first("collection.tsv*"),
        "train_queries": first("queries.train.tsv*"),
        "test_queries": first("queries.dev.small.tsv*", "queries.dev.tsv*"),
        "train_judgements": first("qrels.train.tsv*"),
        "test_judgements": first("qrels.dev.small.tsv*", "qrels.dev.tsv*"),
    }


FOLDERS = (
    FolderKind(
        "msmarco-folder",
        "MS MARCO passage ranking",
        ("collection.tsv*", "queries.*.tsv*", "qrels.*.tsv*"),
        values=_files,
        entry=_ENTRY(
            languages="[en]",
            documents="$documents",
            queries="{train: $train_queries, test: $test_queries}",
            judgements="{train: $train_judgements, test: $test_judgements}",
        ),
    ),
)
