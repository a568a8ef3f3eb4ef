"""Reads MIRACL: passages as JSON lines (docid, title, text), topics as lines of id and text, qrels."""

from functools import partial

from switchrank.collections import records
from switchrank.collections.rows import Rows, judgement_rows, text_rows
from switchrank.collections.separate import reader

ROWS = Rows(
    documents=partial(records.text_rows, id="docid", text=["title", "text"]),
    queries=text_rows,
    judgements=judgement_rows,
)
read_collection, check_roles = reader(ROWS)
