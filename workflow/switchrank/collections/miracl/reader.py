"""Reads MIRACL: passages as JSON lines (docid, title, text), topics as lines of id and text, qrels."""

from __future__ import annotations

from functools import partial

from switchrank.collections import records, tab_lines
from switchrank.collections.rows import Rows
from switchrank.collections.separate import reader

ROWS = Rows(
    documents=partial(records.text_rows, id="docid", text=["title", "text"]),
    queries=tab_lines.text_rows,
    judgements=tab_lines.judgement_rows,
)
read_collection, check_roles = reader(ROWS)
