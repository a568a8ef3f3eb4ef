"""Reads Tevatron's queries with passages, which are judgements and, without a corpus, documents too.

A line is ``query_id query positive_passages[{docid title text}] negative_passages``.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from pathlib import Path

from switchrank.collections import records
from switchrank.collections.records import member_list, member_objects, member_text, read_records
from switchrank.collections.rows import About, JudgementRow, Rows, TextRow
from switchrank.collections.separate import reader
from switchrank.core.errors import Sieve, UserError

_LISTS = {"positive_passages": 1, "negative_passages": 0}


def document_rows(
    path: str | Path,
    about: About,
    *,
    id: str,
    text: Sequence[str],
    inside: bool = False,
    lists: Sequence[str] = tuple(_LISTS),
) -> Iterator[TextRow]:
    """Yield ``(place, docid, text)`` of documents, or of the passages inside queries, each id once over all files.

    ``id`` and ``text`` are members of a document. With ``inside`` the file holds queries, whose members ``lists`` list
    the documents; ``about`` remembers those of earlier files.

    Raises:
        UserError: a passage that is no object, or has no id or text; two texts for one id.
    """
    if not inside:
        yield from records.text_rows(path, about, id=id, text=text)
        return
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
    """Yield ``(place, qid, docid, relevance)`` of passages in ``lists``, each of which stands for one relevance.

    ``id`` is the member with the query's id, ``document`` that of a passage with its own, unless it is a bare id.
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


ROWS = Rows(
    documents=partial(document_rows, id="docid", text=["title", "text"]),
    queries=partial(records.text_rows, id="query_id", text=["query"]),
    judgements=partial(list_rows, id="query_id", lists=_LISTS, document="docid"),
)
read_collection, check_roles = reader(ROWS)
