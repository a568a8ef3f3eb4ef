from collections.abc import Iterator

from switchrank.collections.neuclir.reader import ROWS, read_topics
from switchrank.identify.kinds import Look, Row, json_lines, texts


def _topics(path: str, look: Look) -> Iterator[Row]:
    for place, qid, versions in read_topics(path, look.about, id="topic_id", text=["topic_title"]):
        yield place, qid, list(versions.values())


def _languages(record: dict[str, object]) -> list[str]:
    topics = record["topics"] if isinstance(record.get("topics"), list) else []
    return [str(topic.get("lang")) for topic in topics if isinstance(topic, dict)]  # type: ignore[attr-defined]


KINDS = {
    "hc4-topics": json_lines(("topic_id", "topics"), _topics, told=_languages),
    "documents-jsonl": json_lines(("id", "text"), texts(ROWS.documents), told="lang"),
}
