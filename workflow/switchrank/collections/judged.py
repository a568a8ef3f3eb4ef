"""Judgements from files of any shape: query, document and relevance, every pair once, every defect placed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from switchrank.collections.rows import About, JudgementRows
from switchrank.collections.tab_lines import check_id, judgement_rows, twice
from switchrank.core.errors import UserError
from switchrank.formats.tables import JUDGEMENTS

BATCH = 50_000
"""Rows held as Python objects at a time."""
_PLACED = {**JUDGEMENTS, "place": pl.String}


def read_judgements(paths: str | Path | Sequence[str], reads: JudgementRows = judgement_rows) -> pl.DataFrame:
    """Read JUDGEMENTS plus the column ``place``, in file order.

    Raises:
        UserError: a defect of a file, an id that is empty or holds white space, a pair judged twice.
    """
    parts: list[str | Path] = [paths] if isinstance(paths, str | Path) else list(paths)
    frames = [pl.DataFrame(schema=_PLACED)]
    for path in parts:
        rows = []
        for place, qid, docid, relevance in reads(path, About("judgement")):
            if qid.split() != [qid] or docid.split() != [docid]:
                check_id(qid, path, place)
                check_id(docid, path, place)
            rows.append((qid, docid, relevance, place))
            if len(rows) == BATCH:
                frames.append(pl.DataFrame(rows, schema=_PLACED, orient="row"))
                rows = []
        frames.append(pl.DataFrame(rows, schema=_PLACED, orient="row"))
    frame = pl.concat(frames)
    double = frame.filter(frame.select("qid", "docid").is_duplicated())
    if len(double):
        qid, docid = double.row(0)[:2]
        places = double.filter(pl.col("qid") == qid, pl.col("docid") == docid)["place"]
        raise twice(parts[-1], f"document {docid} for query {qid}", places[0], places[1])
    if frame.is_empty():
        raise UserError(parts[0], "", "holds no judgement", "give a file of judgements")
    return frame
