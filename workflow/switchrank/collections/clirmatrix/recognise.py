from __future__ import annotations

from collections.abc import Iterator

from switchrank.collections.clirmatrix.reader import ROWS
from switchrank.identify.entries import collection
from switchrank.identify.kinds import Look, Row, json_lines, texts


def _rows(path: str, look: Look) -> Iterator[Row]:
    yield from texts(ROWS.queries)(path, look)
    look.found.counts["judgements"] = sum(1 for _ in ROWS.judgements(path, look.about))


KINDS = (
    json_lines(
        "clirmatrix",
        "CLIRMatrix queries with graded documents",
        "queries",
        ("src_id", "src_query", "tgt_results"),
        _rows,
        same="src_id",
        texts="src_query",
        entry=collection(
            "clirmatrix",
            query_language="$source",
            language="$target",
            lists="$path",
            documents='"docs/$target.tsv.gz"',
        ),
    ),
)
