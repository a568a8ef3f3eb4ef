r"""Lines in the manner of MS MARCO, without a header: one reader per kind of file, every defect named with its line.

Formats (microsoft/MSMARCO-Passage-Ranking, README): passages and queries are ``id \t text``, split at the first tab;
judgements are TREC qrels ``qid 0 docid relevance`` (or three columns without the 0); triples are ``qid \t positive \t
negative``; topics are ``docid \t topic``. All may be gzip.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from switchrank.collections.rows import About, JudgementRow, TextRow
from switchrank.core.errors import Defect, Sieve, UserError, refuse
from switchrank.files.headers import header_separator, refuse_header
from switchrank.files.reading import read_lines
from switchrank.formats.tables import TRIPLES

BATCH = 50_000
"""Rows held as Python objects at a time."""
NO_HEADER = "leave this line out; format: tsv reads tables with a header"


def read_topics(path: str | Path) -> pl.DataFrame:
    r"""Read a file of ``docid \t topic`` lines into columns ``docid`` and ``group``.

    Raises:
        UserError: a line without a topic, a document twice (both lines named), no line at all.
    """
    first: dict[str, int] = {}
    topics = []
    for number, line in read_lines(path):
        identifier, _, topic = line.partition("\t")
        if number == 1:
            refuse_header(path, [identifier, topic], "leave this line out")
        check_id(identifier, path, f"line {number}")
        if not topic.strip():
            raise UserError(path, f"line {number}", "no topic", "write 'document id, tab, topic'")
        if identifier in first:
            raise twice(path, f"document id {identifier}", f"line {first[identifier]}", f"line {number}")
        first[identifier] = number
        topics.append(topic.strip())
    if not topics:
        raise UserError(path, "", "holds no topic", "give a file with lines 'document id, tab, topic'")
    return pl.DataFrame({"docid": list(first), "group": topics})


def judgement_rows(path: str | Path, about: About) -> Iterator[JudgementRow]:
    """Yield ``(place, qid, docid, relevance)`` of qrels; white space at the end of a line is let be.

    Raises:
        UserError: a line with other fields, or a relevance that is no whole number.
    """
    sieve = Sieve(about.defect)
    for number, line in read_lines(path):
        with sieve:
            fields = _fields(line.rstrip())
            if len(fields) not in (3, 4):
                raise UserError(path, f"line {number}", f"{len(fields)} fields", "write 'qid 0 docid relevance'")
            if number == 1:
                refuse_header(path, [fields[0], fields[-2], fields[-1]], NO_HEADER)
            place = f"line {number}"
            yield place, fields[0], fields[-2], whole_number(fields[-1].strip(), path, place)


def whole_number(text: str, path: str | Path, place: str) -> int:
    """A relevance.

    Raises:
        UserError: it is no whole number, or a very long one.
    """
    if not (text.isascii() and text.removeprefix("-").isdecimal()) or len(text) > 9:
        raise UserError(path, place, f"relevance {text[:40]!r}", "write a whole number; no header line")
    return int(text)


def text_rows(path: str | Path, about: About) -> Iterator[TextRow]:
    r"""Yield ``(place, id, text)`` of lines ``id \t text``, split at the first tab.

    Raises:
        UserError: a line without a tab.
    """
    for number, line in read_lines(path):
        identifier, tab, text = line.partition("\t")
        if not tab:
            about.defect(_no_tab(path, number, line, about.kind))
            continue
        if number == 1:
            refuse_header(path, line.split("\t"), NO_HEADER)
        yield f"line {number}", identifier, text


def _no_tab(path: str | Path, number: int, line: str, kind: str) -> UserError:
    sign = header_separator(line) if number == 1 else ""
    if not sign:
        return UserError(path, f"line {number}", "no tab", f"write '{kind} id, tab, text'")
    problem = f"a table with {sign!r} between its columns ({line[:80]})"
    return UserError(path, "line 1", problem, f'read it with format: tsv and separator: "{sign}"')


def triple_batches(path: str | Path, *, ids: bool = True, defect: Defect = refuse) -> Iterator[pl.DataFrame]:
    """Yield frames of TRIPLES; row i of all of them together is line i + 1. Without ``ids`` they hold texts.

    ``defect`` is given a line that is none.

    Raises:
        UserError: a line that does not hold three ids (or texts).
    """
    columns: tuple[list[str], ...] = ([], [], [])
    for number, line in read_lines(path):
        fields = _fields(line) if ids else line.split("\t")
        if len(fields) != len(columns):
            problem = f"{len(fields)} fields"
            todo = "write 'query id, positive id, negative id'" if ids else "write 'query, positive, negative'"
            defect(UserError(path, f"line {number}", problem, todo))
            continue
        if number == 1:
            refuse_header(path, fields, "leave this line out")
        if ids and line.split() != fields:  # one comparison clears the usual line; the loop only names the wrong id
            for identifier in fields:
                check_id(identifier, path, f"line {number}")
        for column, identifier in zip(columns, fields, strict=True):
            column.append(identifier)
        if len(columns[0]) == BATCH:
            yield pl.DataFrame(dict(zip(TRIPLES, columns, strict=True)), schema=TRIPLES)
            columns = ([], [], [])
    yield pl.DataFrame(dict(zip(TRIPLES, columns, strict=True)), schema=TRIPLES)


def _fields(line: str) -> list[str]:
    """Fields of a line of ids: between tabs if it has any, else between white space."""
    return line.split("\t") if "\t" in line else line.split()


def check_id(identifier: str, path: str | Path, place: str) -> None:
    """Raise UserError for an id that is empty or holds white space."""
    if identifier.split() != [identifier]:
        problem = f"id {identifier!r}"
        raise UserError(path, place, problem, "write an id without white space, as TREC files need")


def twice(path: str | Path, what: str, first: str, second: str) -> UserError:
    """The error of two rows with one id; ``first`` and ``second`` are their places."""
    unit, _, number = first.partition(" ")
    both = f"{unit}s {number} and {second.removeprefix(f'{unit} ')}"
    return UserError(path, both, f"{what} twice", f"keep one {unit} of each")
