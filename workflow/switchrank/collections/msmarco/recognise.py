import fnmatch
from collections.abc import Iterator
from pathlib import Path

from switchrank.collections.msmarco.reader import ROWS
from switchrank.collections.rows import triple_rows
from switchrank.identify.kinds import IDS, TEXTS, Look, Row, Sign, texts
from switchrank.identify.source import MOST, Columns, Source, is_id, is_whole


def _is_texts(table: Columns) -> bool:
    if table.width != 2 or not table.most(lambda row: is_id(row[0])):
        return False
    return len({row[0] for row in table.rows}) > MOST * len(table.rows)


def _are_documents(source: Source) -> bool:
    """Whether texts are long, or, where length is no sign, what the file is called."""
    table = source.columns
    if not _is_texts(table):
        return False
    letters = table.mean(1, lambda field: len(field.decode("utf-8", "replace")))
    dense = table.mean(1, len) > 2.2 * letters
    called = "quer" in table.name or "topic" in table.name
    return letters > (80 if dense else 250) or (letters > (20 if dense else 60) and not called)


def _are_triples(source: Source) -> bool:
    """Whether lines are three ids; runs and judgements, which are surer kinds, have been ruled out."""
    table = source.columns
    if table.width != 3 or not table.of_ids:
        return False
    return table.most(lambda row: is_whole(row[2])) or table.most(lambda row: all(map(is_id, row)))


def _triples(path: str, look: Look) -> Iterator[Row]:
    for number, row in enumerate(triple_rows(path, defect=look.problems.take), 1):
        if number <= 3:
            look.found.samples.append(" | ".join(row))
        yield f"line {number}", None, ()


KINDS = {
    "documents-tsv": Sign(IDS, _are_documents, texts(ROWS.documents)),
    "queries-tsv": Sign(IDS + 1, lambda source: _is_texts(source.columns), texts(ROWS.queries)),
    "msmarco-triples-ids": Sign(TEXTS, _are_triples, _triples),
}


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


FOLDERS = {"msmarco-folder": {"values": _files}}
