"""Reads files as MS MARCO has them: lines of id and text, and qrels."""

from switchrank.collections.rows import Rows, judgement_rows, text_rows
from switchrank.collections.separate import reader

ROWS = Rows(documents=text_rows, queries=text_rows, judgements=judgement_rows)
read_collection, check_roles = reader(ROWS)
