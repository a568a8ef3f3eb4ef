from collections.abc import Iterator

from switchrank.collections.tevatron.reader import ROWS
from switchrank.identify.kinds import Look, Row, json_lines, texts


def _rows(path: str, look: Look) -> Iterator[Row]:
    yield from texts(ROWS.queries)(path, look)
    judged = ROWS.judgements(path, look.about)
    look.found.counts["relevant passages"] = sum(relevance > 0 for _, _, _, relevance in judged)


KINDS = {"tevatron-queries": json_lines(("query_id", "query", "positive_passages"), _rows)}
