"""Counting and checking rows of delimited text, in one pass and little memory, whatever the format means."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from switchrank.inspect import languages
from switchrank.inspect.found import SAMPLES, Found, Problems, shorten
from switchrank.inspect.source import Source

IDENTITIES = 20_000_000
"""Rows whose ids are compared; 8 bytes each."""
BROKEN = "lines that are not UTF-8"


@dataclass(frozen=True)
class Layout:
    """What the rows of a format must look like.

    Attributes:
        format, title, unit: as :class:`~switchrank.inspect.found.Found` has them.
        names: the columns.
        separator: a tab, or nothing for white space.
        most: at most this many splits, where the last column may hold the separator.
        identity: columns that together may occur once.
        whole: columns of whole numbers.
        texts: columns that should hold text.
        header: whether the first line names the columns.
        sort: what a row without its identity is called, such as ``query``.
        loose: whether rows may have any number of columns.
    """

    format: str
    title: str
    unit: str
    names: tuple[str, ...]
    separator: bytes | None = b"\t"
    most: int = -1
    identity: tuple[int, ...] = ()
    whole: tuple[int, ...] = ()
    texts: tuple[int, ...] = ()
    header: bool = False
    loose: bool = False


class Identities:
    """Finds what occurs twice among very many short byte strings: 64-bit hashes, sorted at the end."""

    def __init__(self) -> None:
        self._hashes, self._lines = array("q"), array("q")

    def add(self, identity: object, line: int) -> None:
        """One more; beyond the limit it is passed over."""
        if len(self._hashes) < IDENTITIES:
            self._hashes.append(hash(identity))
            self._lines.append(line)

    @property
    def complete(self) -> bool:
        """Whether all were compared."""
        return len(self._hashes) < IDENTITIES

    def repeats(self) -> tuple[int, list[int]]:
        """How many occurred before, and the first lines of such."""
        hashes, lines = np.frombuffer(self._hashes, dtype=np.int64), np.frombuffer(self._lines, dtype=np.int64)
        if not len(hashes):
            return 0, []
        order = np.argsort(hashes, kind="stable")
        again = order[1:][hashes[order][1:] == hashes[order][:-1]]
        return len(again), [int(line) for line in lines[np.sort(again)[:3]]]


class _Checker:
    def __init__(self, layout: Layout, problems: Problems) -> None:
        self._layout, self._problems = layout, problems
        self._wanted = len(layout.names)

    def fields(self, line: bytes, number: int) -> list[bytes] | None:
        """The fields of a sound row; nothing for one that is told as a problem."""
        layout = self._layout
        fields = line.split(layout.separator, layout.most)
        if len(fields) != self._wanted and not layout.loose:
            self._problems.add(f"lines without {self._wanted} columns", number)
            return None
        if not line.isascii() and not is_utf8(line):
            self._problems.add(BROKEN, number)
            return None
        for column in layout.whole:
            if not is_whole(fields[column]):
                self._problems.add(f"lines whose {layout.names[column]} is no whole number", number)
                return None
        for column in layout.texts:
            if not fields[column].strip():
                self._problems.add(f"lines whose {layout.names[column]} is empty", number)
        return fields


def count_rows(source: Source, layout: Layout, each: Callable[[Sequence[bytes]], object] | None = None) -> Found:
    """Read all rows of ``layout``; ``each`` is given the fields of every sound row."""
    problems, identities = Problems(), Identities()
    checker = _Checker(layout, problems)
    found = Found(layout.format, layout.title, layout.unit, fields=list(layout.names))
    texts: list[str] = []
    blank = 0
    for number, line in source.lines():
        if number == 1 and layout.header:
            continue
        if not line.strip():
            blank += 1
            continue
        fields = checker.fields(line, number)
        if fields is None:
            continue
        found.rows += 1
        if found.rows <= SAMPLES:
            found.samples.append(shorten(line))
        if len(texts) < 500:
            texts.extend(fields[column].decode("utf-8", "replace") for column in layout.texts)
        if layout.identity:
            identities.add(tuple(fields[column] for column in layout.identity), number)
        if each:
            each(fields)
    found.problems += problems.told() + _repeats(layout, identities)
    found.notes += [f"{blank:,} blank lines are passed over"] if blank else []
    found.scripts = languages.scripts(texts)
    return closed(found, source)


def _repeats(layout: Layout, identities: Identities) -> list[str]:
    count, lines = identities.repeats()
    if not count:
        return []
    what = " and ".join(layout.names[column] for column in layout.identity)
    return [f"{count:,} lines repeat a {what} (line {', '.join(map(str, lines))}{', ...' if count > 3 else ''})"]


def closed(found: Found, source: Source) -> Found:
    """``found`` with what only the end of the file tells: damage, and estimates where the end was not read."""
    found.form = source.form
    if source.damage:
        found.problems.insert(0, source.damage)
    if source.stopped:
        found.rows, found.estimated = source.scaled(found.rows), True
        found.counts = {name: source.scaled(number) for name, number in found.counts.items()}
        found.notes.append("only the start was read (--quick): the numbers are estimates")
    if source.encoding.startswith("utf-16") and found.format != "pages-articles":
        found.problems.append("UTF-16: convert it to UTF-8, such as with iconv")
    return found


def is_utf8(line: bytes) -> bool:
    """Whether a line is UTF-8."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def is_whole(field: bytes) -> bool:
    """Whether a field is a whole number of at most 18 ASCII digits."""
    return len(field) < 20 and field.strip().removeprefix(b"-").isdigit()
