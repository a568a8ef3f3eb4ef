"""Reads TREC's tagged text: ``<DOC>`` documents and ``<top>`` topics, which are SGML more than XML; and qrels.

Formats: trec.nist.gov/data. Documents are ``<DOC><DOCNO>..</DOCNO>..</DOC>``; topics ``<top><num> Number: 301 <title>
.. <desc> Description: ..</top>``, inner tags closed or not, or ``<topic number="1"><query>..</query></topic>``. There
is no root element, tags have any case, and line breaks are layout: white space becomes single spaces.
"""

import html
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from switchrank.collections.rows import About, Rows, TextRow, judgement_rows
from switchrank.collections.separate import reader
from switchrank.core.errors import Sieve, UserError
from switchrank.files.reading import read_lines

_TAG = re.compile(r"<[^<>]*>")
_NAMED = re.compile(r"<\s*(/?)\s*([\w.-]+)[^<>]*>")
_NUMBER = re.compile(r"""number\s*=\s*["']?\s*([^"'\s>]+)""", re.IGNORECASE)
_LABEL = re.compile(r"^\s*(?:number|topic|description|narrative)\s*:", re.IGNORECASE)
_DOCNO = re.compile(r"<\s*docno\s*>(.*?)<\s*/\s*docno\s*>", re.IGNORECASE | re.DOTALL)

Block = tuple[int, str, str]
"""Line of the opening tag, the tag itself, and everything up to the closing tag."""


def document_rows(path: str | Path, about: About, *, fields: Sequence[str] = ()) -> Iterator[TextRow]:
    """Yield ``(place, docid, text)`` of each document; ``fields`` are the elements to take, none means all."""
    sieve = Sieve(about.defect)
    for number, _, body in _blocks(path, "doc"):
        docno = _DOCNO.search(body)
        with sieve:
            if docno is None:
                todo = "give every document its number"
                raise UserError(path, f"line {number}", "a document without <docno>", todo)
            rest = body[: docno.start()] + body[docno.end() :]
            text = " ".join(_elements(rest, fields)) if fields else _TAG.sub(" ", rest)
            yield f"line {number}", docno[1].strip(), _plain(text)


def topic_rows(
    path: str | Path, about: About, *, fields: Sequence[str] = ("title",), by_position: bool = False
) -> Iterator[TextRow]:
    """Yield ``(place, qid, text)`` of each topic; ``fields`` are the elements that make the query.

    ``by_position`` numbers topics 1, 2, 3, ... as Cranfield's judgements do, whatever their ``<num>`` says.
    """
    for position, (number, tag, body) in enumerate(_blocks(path, "top|topic"), 1):
        found = _topic_elements(body)
        attribute = _NUMBER.search(tag)
        qid = str(position) if by_position else found.get("num", attribute[1] if attribute else "")
        if not qid:
            about.defect(UserError(path, f"line {number}", "a topic without <num>", "give every topic its number"))
            continue
        if not any(field.lower() in found for field in fields):
            known = ", ".join(name for name in found if name != "num")
            problem = f"a topic without <{fields[0]}>"
            about.defect(UserError(path, f"line {number}", problem, f"name one of {known}"))
            continue
        yield f"line {number}", qid, " ".join(filter(None, (found.get(field.lower(), "") for field in fields)))


def _blocks(path: str | Path, names: str) -> Iterator[Block]:
    """The elements ``names`` of a file, one at a time; UserError for one without an end, or text between them."""
    edge = re.compile(rf"<\s*(/?)\s*(?:{names})(?=[\s>])[^<>]*>", re.IGNORECASE)
    opened, tag, parts = 0, "", []
    for number, line in read_lines(path):
        start = 0
        for match in edge.finditer(line) if "<" in line else ():
            before = line[start : match.start()]
            start = match.end()
            if bool(match[1]) != bool(opened):
                problem = f"{tag or match[0]} without {'a beginning' if match[1] else 'an end'}"
                raise UserError(path, f"line {number if match[1] else opened}", problem, "close each element")
            if opened:
                parts.append(before)
                yield opened, tag, "\n".join(parts)
                opened = 0
            else:
                _check_between(before, path, number)
                opened, tag, parts = number, match[0], []
        if opened:
            parts.append(line[start:])
        else:
            _check_between(line[start:], path, number)
    if opened:
        raise UserError(path, f"line {opened}", f"{tag} without an end", "close each element, or fetch the file again")


def _check_between(text: str, path: str | Path, number: int) -> None:
    if text and not text.isspace() and _TAG.sub("", text).strip():
        problem = f"text outside of an element: {text.strip()[:40]!r}"
        raise UserError(path, f"line {number}", problem, "give TREC's tagged text")


def _elements(body: str, fields: Sequence[str]) -> Iterator[str]:
    for field in fields:
        pattern = rf"<\s*{re.escape(field)}\s*>(.*?)<\s*/\s*{re.escape(field)}\s*>"
        for match in re.finditer(pattern, body, re.IGNORECASE | re.DOTALL):
            yield _TAG.sub(" ", match[1])


def _topic_elements(body: str) -> dict[str, str]:
    """Text by element, each up to the next tag whether it is closed or not."""
    found: dict[str, str] = {}
    tags = list(_NAMED.finditer(body))
    for tag, end in zip(tags, [*(after.start() for after in tags[1:]), len(body)], strict=False):
        if not tag[1]:
            found.setdefault(tag[2].lower(), _plain(_LABEL.sub("", body[tag.end() : end])))
    return found


def _plain(text: str) -> str:
    return " ".join(html.unescape(text).split())


ROWS = Rows(documents=document_rows, queries=topic_rows, judgements=judgement_rows)
read_collection, check_roles = reader(ROWS)
