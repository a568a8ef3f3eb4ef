from collections.abc import Iterator

from switchrank.collections.clirmatrix.reader import ROWS
from switchrank.identify.kinds import Look, Row, json_lines, texts


def _rows(path: str, look: Look) -> Iterator[Row]:
    yield from texts(ROWS.queries)(path, look)
    look.found.counts["judgements"] = sum(1 for _ in ROWS.judgements(path, look.about))


KINDS = {"clirmatrix": json_lines(("src_id", "src_query", "tgt_results"), _rows)}
