"""Records that hold more than one thing: queries with their passages, topics in several languages, graded lists.

Formats: Tevatron and MLDR JSONL (``query_id query positive_passages[{docid title text}] negative_passages``);
HC4/NeuCLIR topics (``topic_id topics[{lang topic_title topic_description}]``, hltcoe/patapsco); CLIRMatrix (``src_id
src_query tgt_results[[docid, 0..6], ...]``, Sun and Duh 2020).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError
from switchrank.sources.records import Record, listed, member_text, read_records
from switchrank.sources.tsv import whole_number


def topic_rows(
    path: str | Path, language: str, *, id: str, text: Sequence[str], codes: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Yield ``(place, qid, text)`` of the topics that exist in a language; the first version of each is taken.

    Args:
        path: JSON lines.
        language: our code of the language.
        id: member that holds the topic's id.
        text: members of a version that make the query.
        codes: our code to the file's, such as ``en`` to ``eng``.

    Raises:
        UserError: a record without ``topics``, or no topic in the language.
    """
    wanted = codes.get(language, language)
    known: set[str] = set()
    found = False
    for place, record in read_records(path):
        for version in _dicts(record, "topics", path, place):
            known.add(str(version.get("lang")))
            if version.get("lang") == wanted:
                yield place, member_text(record, [id], path, place), member_text(version, text, path, place)
                found = True
                break
    if not found:
        todo = f"known: {listed(sorted(known)) or 'none'}; give codes: {{{language}: ...}}"
        raise UserError(path, "", f"no topic in {wanted}", todo)


def passage_rows(
    path: str | Path, seen: dict[str, bytes], *, lists: Sequence[str], id: str, text: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield ``(place, docid, text)`` of the passages inside query records, each id once.

    Args:
        path: JSON lines or a table.
        seen: digest of the text by id of the passages that files before this one held; it grows.
        lists: members that list passages.
        id: member of a passage with its id.
        text: members of a passage that make its text.

    Raises:
        UserError: a passage that is no object, or has no id or text; two texts for one id.
    """
    for place, record in read_records(path):
        for name in lists:
            for passage in _dicts(record, name, path, place):
                docid = member_text(passage, [id], path, place)
                words = member_text(passage, text, path, place)
                digest = blake2b(words.encode(), digest_size=8).digest()
                if seen.setdefault(docid, digest) != digest:
                    raise UserError(path, place, f"passage {docid} has another text before", "give one text for an id")
                if seen[docid] is digest:
                    yield place, docid, words


def list_rows(
    path: str | Path, *, id: str, lists: Mapping[str, int], document: str
) -> Iterator[tuple[str, str, str, int]]:
    """Yield ``(place, qid, docid, relevance)`` of passages in lists that each stand for one relevance.

    Args:
        path: JSON lines or a table.
        id: member with the query's id.
        lists: relevance by name of the list.
        document: member of a passage with its id; passages may also be bare ids.
    """
    for place, record in read_records(path):
        qid = member_text(record, [id], path, place)
        seen = set()
        for name, relevance in lists.items():
            for passage in _list(record, name, path, place):
                inside = passage if isinstance(passage, dict) else {document: passage}
                docid = member_text(inside, [document], path, place)
                if docid not in seen:
                    seen.add(docid)
                    yield place, qid, docid, relevance


def graded_rows(path: str | Path, *, id: str, graded: str) -> Iterator[tuple[str, str, str, int]]:
    """Yield ``(place, qid, docid, relevance)`` of lists of ``[docid, relevance]``.

    Raises:
        UserError: an entry that is no such pair.
    """
    for place, record in read_records(path):
        qid = member_text(record, [id], path, place)
        for entry in _list(record, graded, path, place):
            if not isinstance(entry, list | tuple) or len(entry) != 2:
                raise UserError(path, place, f"{graded} holds {str(entry)[:40]!r}", "write [docid, relevance]")
            docid = member_text({"docid": entry[0]}, ["docid"], path, place)
            yield place, qid, docid, whole_number(str(entry[1]), path, place)


def _list(record: Record, name: str, path: str | Path, place: str) -> list[Any]:
    """A list of a record; one that is missing or null is empty."""
    found = record.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise UserError(path, place, f"member {name!r} is not a list", "name a member that is")
    return found


def _dicts(record: Record, name: str, path: str | Path, place: str) -> list[dict[str, Any]]:
    found = _list(record, name, path, place)
    if not all(isinstance(part, dict) for part in found):
        raise UserError(path, place, f"{name} holds something that is not an object", "write objects with id and text")
    return found
