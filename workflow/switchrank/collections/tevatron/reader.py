"""Reads Tevatron's queries with passages, which are judgements and, without a corpus, documents too.

A line is ``query_id query positive_passages[{docid title text}] negative_passages``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import Any

from switchrank.collections import records
from switchrank.collections.parsed import Parsed
from switchrank.collections.records import member_list, member_objects, member_text, read_records
from switchrank.collections.roles import check_separate
from switchrank.collections.rows import About, JudgementRow, Rows, TextRow
from switchrank.collections.separate import read_separate
from switchrank.collections.spec import CollectionSpec
from switchrank.core.errors import Sieve, UserError

check_roles = check_separate


def passage_rows(
    path: str | Path, about: About, *, lists: Sequence[str], id: str, text: Sequence[str]
) -> Iterator[TextRow]:
    """Yield ``(place, docid, text)`` of the passages inside query records, each id once over all files.

    Args:
        path: JSON lines or a table.
        about: digest of the text by id of the passages that files before this one held.
        lists: members that list passages.
        id: member of a passage with its id.
        text: members of a passage that make its text.

    Raises:
        UserError: a passage that is no object, or has no id or text; two texts for one id.
    """
    seen = about.seen
    for place, record in read_records(path):
        for name in lists:
            for passage in member_objects(record, name, path, place):
                docid = member_text(passage, [id], path, place)
                words = member_text(passage, text, path, place)
                digest = blake2b(words.encode(), digest_size=8).digest()
                if seen.setdefault(docid, digest) != digest:
                    raise UserError(path, place, f"passage {docid} has another text before", "give one text for an id")
                if seen[docid] is digest:
                    yield place, docid, words


def list_rows(
    path: str | Path, about: About, *, id: str, lists: Mapping[str, int], document: str
) -> Iterator[JudgementRow]:
    """Yield ``(place, qid, docid, relevance)`` of passages in lists that each stand for one relevance.

    Args:
        path: JSON lines or a table.
        about: who is told of defects.
        id: member with the query's id.
        lists: relevance by name of the list.
        document: member of a passage with its id; passages may also be bare ids.
    """
    sieve = Sieve(about.defect)
    for place, record in read_records(path, defect=about.defect):
        with sieve:
            qid = member_text(record, [id], path, place)
            seen = set()
            for name, relevance in lists.items():
                for passage in member_list(record, name, path, place):
                    inside = passage if isinstance(passage, dict) else {document: passage}
                    docid = member_text(inside, [document], path, place)
                    if docid not in seen:
                        seen.add(docid)
                        yield place, qid, docid, relevance


_LISTS = {"positive_passages": 1, "negative_passages": 0}
_PASSAGES = ["title", "text"]
ROWS = Rows(
    documents=partial(records.text_rows, id="docid", text=_PASSAGES),
    queries=partial(records.text_rows, id="query_id", text=["query"]),
    judgements=partial(list_rows, id="query_id", lists=_LISTS, document="docid"),
)
INSIDE = partial(passage_rows, lists=list(_LISTS), id="docid", text=_PASSAGES)
"""The passages of the queries as documents."""


def read_collection(
    spec: CollectionSpec,
    files: Mapping[str, str],
    folder: Path,
    *,
    inside: bool = False,
    documents: Mapping[str, Any] = MappingProxyType({}),
    queries: Mapping[str, Any] = MappingProxyType({}),
    judgements: Mapping[str, Any] = MappingProxyType({}),
) -> Parsed:
    """Read a collection as :func:`switchrank.collections.separate.read_separate` does.

    Args:
        spec, files, folder: as there.
        inside: the passages of the queries are the documents.
        documents, queries, judgements: settings of how they are written.
    """
    rows = replace(ROWS, documents=INSIDE) if inside else ROWS
    given = {"documents": documents, "queries": queries, "judgements": judgements}
    return read_separate(spec, files, folder, rows.changed(given))
