"""Reads BEIR: documents and queries as JSON lines (_id, title, text), judgements as a table with a header."""

from functools import partial

from switchrank.collections import records
from switchrank.collections.rows import Rows
from switchrank.collections.separate import reader

ROWS = Rows(
    documents=partial(records.text_rows, id="_id", text=["title", "text"]),
    queries=partial(records.text_rows, id="_id", text=["text"]),
    judgements=partial(
        records.judgement_rows, query="query-id", document="corpus-id", relevance="score", separator="\t"
    ),
)
read_collection, check_roles = reader(ROWS)
