"""Reads tables of text by the names or numbers of their columns."""

from functools import partial

from switchrank.collections import records
from switchrank.collections.rows import Rows
from switchrank.collections.separate import reader

ROWS = Rows(
    documents=partial(records.text_rows, id="docid", text=["text"]),
    queries=partial(records.text_rows, id="qid", text=["text"]),
    judgements=partial(records.judgement_rows, query="qid", document="docid", relevance="relevance"),
)
read_collection, check_roles = reader(ROWS)
