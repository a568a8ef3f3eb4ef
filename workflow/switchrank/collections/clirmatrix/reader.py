"""Reads CLIRMatrix: documents as lines of id and text; queries with their graded documents as JSON lines.

A line of queries holds ``src_id``, ``src_query`` and ``tgt_results``, a list of ``[docid, 0..6]``.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from switchrank.collections import records
from switchrank.collections.records import member_list, member_text, read_records
from switchrank.collections.rows import About, JudgementRow, Rows, text_rows, whole_number
from switchrank.collections.separate import reader
from switchrank.core.errors import Sieve, UserError


def graded_rows(path: str | Path, about: About, *, id: str, graded: str) -> Iterator[JudgementRow]:
    """Yield ``(place, qid, docid, relevance)`` of the lists ``graded`` of ``[docid, relevance]``."""
    sieve = Sieve(about.defect)
    for place, record in read_records(path, defect=about.defect):
        with sieve:
            qid = member_text(record, [id], path, place)
            for entry in member_list(record, graded, path, place):
                if not isinstance(entry, list | tuple) or len(entry) != 2:
                    raise UserError(path, place, f"{graded} holds {str(entry)[:40]!r}", "write [docid, relevance]")
                docid = member_text({"docid": entry[0]}, ["docid"], path, place)
                yield place, qid, docid, whole_number(str(entry[1]), path, place)


ROWS = Rows(
    documents=text_rows,
    queries=partial(records.text_rows, id="src_id", text=["src_query"]),
    judgements=partial(graded_rows, id="src_id", graded="tgt_results"),
)
read_collection, check_roles = reader(ROWS)
