r"""How the files of a collection are written: for each of its tables the function that reads the rows of a file.

Such a function takes the file and :class:`About`, yields rows, and has its settings bound (``functools.partial``); the
options of a collection override single settings.

Those here read lines without a header, as MS MARCO has them (microsoft/MSMARCO-Passage-Ranking, README): passages and
queries are ``id \t text``, split at the first tab; judgements are TREC qrels ``qid 0 docid relevance`` (or three
columns without the 0); triples are ``qid \t positive \t negative``; topics are ``docid \t topic``. All may be packed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from inspect import Parameter, signature
from pathlib import Path
from types import UnionType
from typing import Any, Self, get_args, get_origin

import polars as pl

from switchrank.core.errors import Defect, Sieve, UserError, refuse
from switchrank.files.headers import header_separator, refuse_header
from switchrank.files.reading import read_lines
from switchrank.formats.tables import TRIPLES

TextRow = tuple[str, str, str]
"""Place in the file, id, text."""
JudgementRow = tuple[str, str, str, int]
"""Place in the file, query, document, relevance."""
TextRows = Callable[..., Iterator[TextRow]]
JudgementRows = Callable[..., Iterator[JudgementRow]]
_NO_HEADER = "leave this line out; format: tsv reads tables with a header"
_PLAIN: dict[Any, type] = {Sequence: list, Mapping: dict}
"""What JSON and YAML have for a type of a setting."""


@dataclass(frozen=True)
class About:
    """What a function that reads rows needs to know of a file.

    Attributes:
        kind: what a row holds, ``document``, ``query`` or ``judgement``.
        language: which language to take where a row has several.
        seen: passages of earlier files, for files that repeat them; it grows.
        defect: is given a row that cannot be used.
    """

    kind: str = "document"
    language: str = ""
    seen: dict[str, bytes] = field(default_factory=dict)
    defect: Defect = refuse


@dataclass(frozen=True)
class Rows:
    """How documents, queries and judgements are written."""

    documents: TextRows
    queries: TextRows
    judgements: JudgementRows

    def changed(self, options: Mapping[str, Any]) -> Self:
        """The same with single settings replaced, as :func:`with_settings` does it."""
        return type(self)(
            **{name: with_settings(rows, options.get(name, {}), f"options.{name}") for name, rows in vars(self).items()}
        )


def with_settings(rows: Callable[..., Any], given: Any, place: str) -> Callable[..., Any]:
    """``rows`` with settings bound; UserError for an unknown or missing one, or a value of another kind."""
    if not isinstance(given, Mapping):
        raise UserError("collection", place, "not a mapping", "write a mapping")
    parameters = signature(rows, eval_str=True).parameters
    known = {name: one for name, one in parameters.items() if one.kind is Parameter.KEYWORD_ONLY}
    for name, value in given.items():
        if name not in known:
            problem = f"unknown key {name}"
            raise UserError("collection", place, problem, f"known: {', '.join(known) or 'none'}")
        kinds = _plain_kinds(known[name].annotation)
        if not isinstance(value, kinds):
            raise UserError("collection", place, f"{name} is no {kinds[0].__name__}", "correct it")
    missing = [name for name, one in known.items() if one.default is Parameter.empty and name not in given]
    if missing:
        raise UserError("collection", place, f"no {missing[0]}", "name it")
    return partial(rows, **given)


def _plain_kinds(annotation: Any) -> tuple[type, ...]:
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return tuple(_PLAIN.get(get_origin(kind), kind) for kind in kinds)


def read_topics(path: str | Path) -> pl.DataFrame:
    r"""Read lines ``docid \t topic`` into columns ``docid`` and ``group``; UserError if one is none, or comes twice."""
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
    """Yield ``(place, qid, docid, relevance)`` of qrels; white space at the end of a line does not matter."""
    sieve = Sieve(about.defect)
    for number, line in read_lines(path):
        with sieve:
            fields = _fields(line.rstrip())
            if len(fields) not in (3, 4):
                raise UserError(path, f"line {number}", f"{len(fields)} fields", "write 'qid 0 docid relevance'")
            if number == 1:
                refuse_header(path, [fields[0], fields[-2], fields[-1]], _NO_HEADER)
            place = f"line {number}"
            yield place, fields[0], fields[-2], whole_number(fields[-1].strip(), path, place)


def whole_number(text: str, path: str | Path, place: str) -> int:
    """A relevance; UserError if it is no whole number, or a very long one."""
    if not (text.isascii() and text.removeprefix("-").isdecimal()) or len(text) > 9:
        raise UserError(path, place, f"relevance {text[:40]!r}", "write a whole number; no header line")
    return int(text)


def text_rows(path: str | Path, about: About) -> Iterator[TextRow]:
    r"""Yield ``(place, id, text)`` of lines ``id \t text``, split at the first tab."""
    for number, line in read_lines(path):
        identifier, tab, text = line.partition("\t")
        if not tab:
            sign = header_separator(line) if number == 1 else ""
            problem = f"a table with {sign!r} between its columns ({line[:80]})" if sign else "no tab"
            todo = (
                f'read it with format: tsv and separator: "{sign}"' if sign else f"write '{about.kind} id, tab, text'"
            )
            about.defect(UserError(path, f"line {number}", problem, todo))
            continue
        if number == 1:
            refuse_header(path, line.split("\t"), _NO_HEADER)
        yield f"line {number}", identifier, text


def triple_rows(path: str | Path, *, ids: bool = True, defect: Defect = refuse) -> Iterator[tuple[str, ...]]:
    """Yield the rows of TRIPLES, without ``ids`` those of texts; a line that does not hold three goes to ``defect``."""
    for number, line in read_lines(path):
        fields = _fields(line) if ids else line.split("\t")
        if len(fields) != len(TRIPLES):
            problem = f"{len(fields)} fields"
            todo = "write 'query id, positive id, negative id'" if ids else "write 'query, positive, negative'"
            defect(UserError(path, f"line {number}", problem, todo))
            continue
        if number == 1:
            refuse_header(path, fields, "leave this line out")
        if ids and line.split() != fields:  # one comparison clears the usual line; the loop only names the wrong id
            for identifier in fields:
                check_id(identifier, path, f"line {number}")
        yield tuple(fields)


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
