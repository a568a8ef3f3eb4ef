"""Judgements from files of any shape: query, document and relevance, every pair once, every defect placed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.core.errors import UserError
from switchrank.formats.tables import JUDGEMENTS
from switchrank.sources import inline, tsv
from switchrank.sources.records import member_text, read_records
from switchrank.sources.shapes import Shape

BATCH = 50_000
"""Rows held as Python objects at a time."""
_QRELS: Shape = {"kind": "qrels"}
_PLACED = {**JUDGEMENTS, "place": pl.String}
JudgementRow = tuple[str, str, str, int]
"""Place in the file, query, document, relevance."""


def judgement_rows(path: str | Path, shape: Shape) -> Iterator[JudgementRow]:
    """Yield ``(place, qid, docid, relevance)`` of a file.

    Raises:
        UserError: a defect of the file.
    """
    settings: dict[str, Any] = {key: value for key, value in shape.items() if key != "kind"}
    match shape["kind"]:
        case "qrels":
            return tsv.judgement_rows(path)
        case "lists":
            return inline.list_rows(path, **settings)
        case "graded":
            return inline.graded_rows(path, **settings)
    return _record_rows(path, **settings)


def _record_rows(
    path: str | Path, *, query: str, document: str, relevance: str | None, **layout: Any
) -> Iterator[JudgementRow]:
    """Judgements of records; without a column for it every row is relevant."""
    columns = [query, document, *([relevance] if relevance else [])]
    for place, record in read_records(path, columns=columns, **layout):
        qid, docid = (member_text(record, [name], path, place) for name in (query, document))
        grade = tsv.whole_number(member_text(record, [relevance], path, place), path, place) if relevance else 1
        yield place, qid, docid, grade


def read_judgements(paths: str | Path | Sequence[str], shape: Shape = _QRELS) -> pl.DataFrame:
    """Read JUDGEMENTS plus the column ``place``, in file order.

    Raises:
        UserError: a defect of a file, an id that is empty or holds white space, a pair judged twice.
    """
    parts: list[str | Path] = [paths] if isinstance(paths, str | Path) else list(paths)
    frames = [pl.DataFrame(schema=_PLACED)]
    for path in parts:
        rows = []
        for place, qid, docid, relevance in judgement_rows(path, shape):
            if qid.split() != [qid] or docid.split() != [docid]:
                tsv.check_id(qid, path, place)
                tsv.check_id(docid, path, place)
            rows.append((qid, docid, relevance, place))
            if len(rows) == BATCH:
                frames.append(pl.DataFrame(rows, schema=_PLACED, orient="row"))
                rows = []
        frames.append(pl.DataFrame(rows, schema=_PLACED, orient="row"))
    frame = pl.concat(frames)
    twice = frame.filter(frame.select("qid", "docid").is_duplicated())
    if len(twice):
        qid, docid = twice.row(0)[:2]
        places = twice.filter(pl.col("qid") == qid, pl.col("docid") == docid)["place"]
        raise tsv.twice(parts[-1], f"document {docid} for query {qid}", places[0], places[1])
    if frame.is_empty():
        raise UserError(parts[0], "", "holds no judgement", "give a file of judgements")
    return frame
