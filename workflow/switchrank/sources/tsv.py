r"""Headerless TSV in the manner of MS MARCO: one reader per kind of file, every defect named with its line.

Formats (microsoft/MSMARCO-Passage-Ranking, README): passages and queries are ``id \t text``, split at the first tab;
judgements are TREC qrels ``qid 0 docid relevance`` (or three columns without the 0); triples are ``qid \t positive \t
negative``; topics are ``docid \t topic``. All may be gzip.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from switchrank.errors import UserError
from switchrank.formats.tables import JUDGEMENTS, TRIPLES
from switchrank.reading import read_lines
from switchrank.sources.notes import note

BATCH = 50_000
"""Rows held as Python objects at a time."""
_TEXTS = {"id": pl.String, "text": pl.String}


@dataclass
class TextFile:
    r"""A file of ``id \t text`` lines.

    Attributes:
        path: the file, plain or gzip.
        kind: what a line holds, ``document`` or ``query``.
        empty: id to line number of the lines without text; filled while :meth:`batches` runs.
    """

    path: str | Path
    kind: str
    empty: dict[str, int] = field(default_factory=dict)

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yield frames of columns ``id`` and ``text``, lines without text left out.

        Raises:
            UserError: unreadable file, a line without a tab, an id that is empty or holds white space.
        """
        ids: list[str] = []
        texts: list[str] = []
        for number, line in read_lines(self.path):
            identifier, tab, text = line.partition("\t")
            if not tab:
                raise UserError(self.path, f"line {number}", "no tab", f"write '{self.kind} id, tab, text'")
            _check_id(identifier, self.path, number)
            if not text or text.isspace():
                if identifier in self.empty:
                    raise _twice(self.path, f"{self.kind} id {identifier}", self.empty[identifier], number)
                self.empty[identifier] = number
                continue
            ids.append(identifier)
            texts.append(text)
            if len(ids) == BATCH:
                yield pl.DataFrame({"id": ids, "text": texts}, schema=_TEXTS)
                ids, texts = [], []
        yield pl.DataFrame({"id": ids, "text": texts}, schema=_TEXTS)

    def check_ids(self, ids: pl.Series) -> None:
        """Check the ids of all lines with text, after :meth:`batches` has run.

        Raises:
            UserError: there is none, or two lines of the file have one id; both lines are named.
        """
        if ids.is_empty():
            raise UserError(self.path, "", f"holds no {self.kind}", "give a file with lines 'id, tab, text'")
        everything = pl.concat([ids, pl.Series(ids.name, list(self.empty), dtype=pl.String)])
        if everything.n_unique() == len(everything):
            return
        twice = everything.filter(everything.is_duplicated())[0]
        lines = [number for number, line in read_lines(self.path) if line.partition("\t")[0] == twice]
        raise _twice(self.path, f"{self.kind} id {twice}", lines[0], lines[1])


def read_queries(path: str | Path) -> pl.DataFrame:
    """Read a query file into columns ``qid`` and ``text``, in file order; empty queries are counted and left out.

    Raises:
        UserError: as :meth:`TextFile.batches` and :meth:`TextFile.check_ids`.
    """
    file = TextFile(path, "query")
    frame = pl.concat(file.batches()).rename({"id": "qid"})
    file.check_ids(frame["qid"])
    note(path, len(file.empty), f"empty queries left out, the first in line {next(iter(file.empty.values()), 0)}")
    return frame


def read_topics(path: str | Path) -> pl.DataFrame:
    r"""Read a file of ``docid \t topic`` lines into columns ``docid`` and ``group``.

    Raises:
        UserError: a line without a topic, a document twice (both lines named), no line at all.
    """
    first: dict[str, int] = {}
    topics = []
    for number, line in read_lines(path):
        identifier, _, topic = line.partition("\t")
        _check_id(identifier, path, number)
        if not topic.strip():
            raise UserError(path, f"line {number}", "no topic", "write 'document id, tab, topic'")
        if identifier in first:
            raise _twice(path, f"document id {identifier}", first[identifier], number)
        first[identifier] = number
        topics.append(topic.strip())
    if not topics:
        raise UserError(path, "", "holds no topic", "give a file with lines 'document id, tab, topic'")
    return pl.DataFrame({"docid": list(first), "group": topics})


def read_judgements(path: str | Path) -> pl.DataFrame:
    """Read qrels into JUDGEMENTS plus the column ``line`` (UInt32), in file order.

    Raises:
        UserError: a line with other fields, a relevance that is no whole number, a pair judged twice.
    """
    rows = []
    for number, line in read_lines(path):
        fields = _fields(line)
        if len(fields) not in (3, 4):
            raise UserError(path, f"line {number}", f"{len(fields)} fields", "write 'qid 0 docid relevance'")
        qid, docid, relevance = fields[0], fields[-2], fields[-1].strip()
        _check_id(qid, path, number)
        _check_id(docid, path, number)
        if not relevance.removeprefix("-").isdecimal() or len(relevance) > 9:
            raise UserError(path, f"line {number}", f"relevance {relevance!r}", "write a whole number; no header line")
        rows.append((qid, docid, int(relevance), number))
    frame = pl.DataFrame(rows, schema={**JUDGEMENTS, "line": pl.UInt32}, orient="row")
    twice = frame.filter(frame.select("qid", "docid").is_duplicated())
    if len(twice):
        qid, docid = twice.row(0)[:2]
        lines = twice.filter(pl.col("qid") == qid, pl.col("docid") == docid)["line"]
        raise _twice(path, f"document {docid} for query {qid}", lines[0], lines[1])
    return frame


def triple_batches(path: str | Path) -> Iterator[pl.DataFrame]:
    """Yield frames of TRIPLES; row i of all of them together is line i + 1.

    Raises:
        UserError: a line that does not hold three ids.
    """
    columns: tuple[list[str], ...] = ([], [], [])
    for number, line in read_lines(path):
        fields = _fields(line)
        if len(fields) != len(columns):
            problem = f"{len(fields)} fields"
            raise UserError(path, f"line {number}", problem, "write 'query id, positive id, negative id'")
        if line.split() != fields:  # one comparison clears the usual line; the loop only names the wrong id
            for identifier in fields:
                _check_id(identifier, path, number)
        for column, identifier in zip(columns, fields, strict=True):
            column.append(identifier)
        if len(columns[0]) == BATCH:
            yield pl.DataFrame(dict(zip(TRIPLES, columns, strict=True)), schema=TRIPLES)
            columns = ([], [], [])
    yield pl.DataFrame(dict(zip(TRIPLES, columns, strict=True)), schema=TRIPLES)


def _fields(line: str) -> list[str]:
    """Fields of a line of ids: between tabs if it has any, else between white space."""
    return line.split("\t") if "\t" in line else line.split()


def _check_id(identifier: str, path: str | Path, number: int) -> None:
    if identifier.split() != [identifier]:
        problem = f"id {identifier!r}"
        raise UserError(path, f"line {number}", problem, "write an id without white space, as TREC files need")


def _twice(path: str | Path, what: str, first: int, second: int) -> UserError:
    return UserError(path, f"lines {first} and {second}", f"{what} twice", "keep one line of each")
