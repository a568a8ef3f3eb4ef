"""Reads Large-Scale CLIR: lines of id, title and text (of queries: title and first sentence), and qrels."""

from functools import partial

from switchrank.collections import records
from switchrank.collections.rows import Rows, judgement_rows
from switchrank.collections.separate import reader

_numbered = partial(records.text_rows, id="1", separator="\t", header=False)
ROWS = Rows(
    documents=partial(_numbered, text=["2", "3"]),
    queries=partial(_numbered, text=["3"]),
    judgements=judgement_rows,
)
read_collection, check_roles = reader(ROWS)
