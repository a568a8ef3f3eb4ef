"""Tables of MediaWiki as mysqldump writes them: which table, how many rows, which languages."""

from __future__ import annotations

import re
from collections import Counter

from switchrank.inspect import languages
from switchrank.inspect.found import SAMPLES, Found, Problems, shorten
from switchrank.inspect.rows import closed, is_utf8
from switchrank.inspect.source import Source

_INTO = rb"(?:INSERT|REPLACE)\s{1,9}(?:IGNORE\s{1,9})?INTO\s{1,9}`?(\w{1,64}+)`?"
_INSERT = re.compile(_INTO + rb"(?:\s{0,9}\([^)']{0,5000}\))?\s{0,9}VALUES\s{0,9}", re.IGNORECASE)
_CREATE = re.compile(rb"CREATE TABLE (?:IF NOT EXISTS )?`?(\w{1,64}+)`?\s{0,9}\(", re.IGNORECASE)
_COLUMN = re.compile(rb"\s*`(\w+)`")
_STRING = re.compile(rb"'(?:[^'\\]++|\\.)*+'?", re.DOTALL)
"""A string, or what is left of one that does not end; nothing is ever tried twice."""
_CLOSED = re.compile(rb"(?:[^']++|'(?:[^'\\]++|\\.)*+')*+", re.DOTALL)
_ROW = re.compile(rb"\((?:[^'()]++|'(?:[^'\\]++|\\.)*+')*+\)")
_TEXT = rb"\s?(?:_binary ?'|'|0x)"
_LINK = re.compile(rb"\(\d+," + _TEXT + rb"((?<=')[\w-]{1,35}(?=',)|(?<=0x)[0-9A-Fa-f]{2,70}(?=,))'?," + _TEXT)
_PAGE = re.compile(rb"\(\d+,\s?(-?\d+)," + _TEXT)
_TITLES = {
    "page": "page.sql of MediaWiki: titles and ids of pages",
    "langlinks": "langlinks.sql of MediaWiki: titles in other languages",
    "redirect": "redirect.sql of MediaWiki",
}


def inspect(source: Source) -> Found | None:
    """What an SQL dump is; nothing where no table is created or filled in its first megabyte."""
    first = _INSERT.search(source.head) or _CREATE.search(source.head)
    if not source.is_text or first is None:
        return None
    table = first[1].decode("utf-8", "replace")
    dump = _Dump(table)
    for number, line in source.lines():
        dump.take(line, number)
    name = table if table in {"page", "langlinks"} else "mediawiki-sql"
    title = _TITLES.get(table, f"an SQL dump of the table {table}, which is not read")
    found = Found(name, title, "rows", dump.rows, fields=dump.columns)
    found.samples, found.problems = dump.samples, dump.problems.told()
    if not dump.columns:
        found.notes.append("no CREATE TABLE: the order of columns is told by their number")
    if dump.open and not source.stopped:
        found.problems.append("ends within a statement")
    found.languages = languages.from_name(source.path)
    if table == "langlinks":
        found.counts["languages"] = len(dump.values)
        known = languages.codes(_code(value) for value, _ in dump.values.most_common(30))
        found.notes.append("languages linked to: " + ", ".join(known[:15]))
    if table == "page":
        found.counts["pages in namespace 0"] = dump.values[b"0"]
    return closed(found, source)


def _code(value: bytes) -> str:
    """A language code, which phpMyAdmin writes in hexadecimal."""
    text = value.decode("utf-8", "replace")
    return bytes.fromhex(text).decode() if re.fullmatch(r"(?:[2367][0-9a-fA-F]){2,}", text) else text


class _Dump:
    """Counts the rows of INSERT statements, one line at a time: mysqldump never breaks a line within a string."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.rows = 0
        self.columns: list[str] = []
        self.samples: list[str] = []
        self.problems = Problems()
        self.values: Counter[bytes] = Counter()
        self.open = False
        self._creating = False
        self._pattern = {"langlinks": _LINK, "page": _PAGE}.get(table)

    def take(self, line: bytes, number: int) -> None:
        """One more line of the dump."""
        if self._creating:
            self._column(line)
        elif not self.open and (created := _CREATE.match(line)):
            self._creating = created[1].decode() == self.table
        elif self.open:
            self._insert(line, number)
        elif found := _INSERT.match(line):
            if found[1].decode() != self.table:
                self.problems.add(f"statements that fill another table than {self.table}", number)
                return
            if not line.isascii() and not is_utf8(line):
                self.problems.add("statements that are not UTF-8 (kept: sort keys are bytes)", number)
            self._insert(line[found.end() :], number)

    def _column(self, line: bytes) -> None:
        column = _COLUMN.match(line)
        if column:
            self.columns.append(column[1].decode())
        self._creating = not line.lstrip().startswith(b")")

    def _insert(self, part: bytes, number: int) -> None:
        bare = _STRING.sub(b"", part)
        if not _CLOSED.fullmatch(part):
            self.problems.add("statements with a string that does not end", number)
        rows = bare.count(b"(")
        if bare.count(b")") != rows:
            self.problems.add("statements with a row that does not end", number)
        self.rows += rows
        self.open = not bare.rstrip().endswith(b";")
        if self.columns and rows:
            width = bare[bare.find(b"(") : bare.find(b")")].count(b",") + 1
            if width != len(self.columns):
                self.problems.add(f"statements of {width} columns, where the table has {len(self.columns)}", number)
        for match in _ROW.finditer(part[:2000]) if len(self.samples) < SAMPLES else ():
            if len(self.samples) < SAMPLES:
                self.samples.append(shorten(match[0]))
        if self._pattern:
            self.values.update(self._pattern.findall(part))
