from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from switchrank.collections.neuclir.reader import ROWS, read_topics
from switchrank.identify.entries import collection
from switchrank.identify.kinds import Look, Row, json_lines, texts

_entry = partial(
    collection,
    "neuclir",
    languages="[$language]",
    splits="[test]",
    documents='"documents.{lang}.jsonl"',
    queries='"topics.{split}.jsonl"',
    judgements='"qrels.{split}"',
)


def _topics(path: str, look: Look) -> Iterator[Row]:
    for place, qid, versions in read_topics(path, look.about, id="topic_id", text=["topic_title"]):
        yield place, qid, list(versions.values())


def _languages(record: dict[str, object]) -> list[str]:
    topics = record["topics"] if isinstance(record.get("topics"), list) else []
    return [str(topic.get("lang")) for topic in topics if isinstance(topic, dict)]  # type: ignore[attr-defined]


KINDS = (
    json_lines(
        "hc4-topics",
        "topics in several languages (HC4, Patapsco)",
        "topics",
        ("topic_id", "topics"),
        _topics,
        told=_languages,
        same="topic_id",
        texts="topic_title",
        entry=_entry(queries="$path"),
    ),
    json_lines(
        "documents-jsonl",
        "documents as JSON lines: id, title, text (Patapsco)",
        "documents",
        ("id", "text"),
        texts(ROWS.documents),
        told=lambda record: [str(record.get("lang"))],
        same="id",
        entry=_entry(documents="$path"),
    ),
)
