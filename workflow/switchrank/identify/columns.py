"""The columns of the first lines of delimited text: the facts that such formats are recognised by."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache

from switchrank.identify.source import Source

MOST = 0.9
"""Share of the sampled lines that must be alike."""
_MOST_COLUMNS = 1000
_NUMBER = re.compile(rb"[-+]?(\d++(\.\d*+)?|\.\d++)([eE][-+]?\d++)?")
_NAME = re.compile(rb"[^\W\d][\w .:-]{0,40}")
Fields = Sequence[bytes]


class Columns:
    """The first lines of a text file, cut at tabs and at white space.

    Attributes:
        lines: those that are not blank.
        every: their tab-separated fields.
        width: the number of fields of nearly all lines; 0 where they differ.
        rows: the fields of the lines that have as many as most.
    """

    def __init__(self, source: Source) -> None:
        self.lines = [] if source.is_marked or not source.is_text else source.head_lines()
        self.every = [line.split(b"\t") for line in self.lines]
        (width, count), *_ = Counter(map(len, self.every)).most_common(1) or [(0, 0)]
        self.width = width if count >= MOST * len(self.every) and width <= _MOST_COLUMNS else 0
        self.rows = [row for row in self.every if len(row) == width]
        self.name = source.path.name.lower()

    @cached_property
    def words(self) -> list[list[bytes]]:
        """The fields of all lines, separated by any white space."""
        return [line.split() for line in self.lines]

    @cached_property
    def tabbed(self) -> bool:
        return any(b"\t" in line for line in self.lines[:50])

    @cached_property
    def header(self) -> tuple[str, ...]:
        """The fields of the first line where all of them could be names of columns, no two alike."""
        first = self.every[0] if self.every else []
        named = 1 < len(first) <= _MOST_COLUMNS and all(_NAME.fullmatch(name.strip()) for name in first)
        distinct = len(set(first)) == len(first)
        return tuple(name.strip().decode("utf-8", "replace") for name in first) if named and distinct else ()

    def share(self, test: Callable[[Fields], bool], rows: Sequence[Fields] | None = None) -> float:
        """The share of rows that pass a test."""
        rows = self.rows if rows is None else rows
        return sum(map(test, rows)) / len(rows) if rows else 0.0

    def most(self, test: Callable[[Fields], bool]) -> bool:
        """Whether nearly all rows pass a test."""
        return self.share(test) >= MOST

    def most_words(self, count: int, test: Callable[[Fields], bool]) -> bool:
        """Whether nearly all lines have ``count`` fields separated by white space, which pass a test."""
        return self.share(lambda row: len(row) == count and test(row), self.words) >= MOST

    def mean(self, column: int, measure: Callable[[bytes], int]) -> float:
        """The mean of a measure over a column."""
        return sum(measure(row[column]) for row in self.rows) / len(self.rows)

    @cached_property
    def of_ids(self) -> bool:
        """Whether no field holds white space."""
        return self.most(lambda row: not any(b" " in field.strip() for field in row))


@lru_cache(maxsize=2)
def columns_of(source: Source) -> Columns:
    """The columns of a file, cut once."""
    return Columns(source)


def is_whole(field: bytes) -> bool:
    """Whether a field is a whole number of at most 18 ASCII digits."""
    return len(field) < 20 and field.strip().removeprefix(b"-").isdigit()


def is_number(field: bytes) -> bool:
    """Whether a field is a decimal number."""
    return bool(_NUMBER.fullmatch(field))


def is_id(field: bytes) -> bool:
    """Whether a field could be an id: short, with a digit, without white space."""
    return 0 < len(field) <= 80 and len(field.split()) == 1 and any(48 <= letter <= 57 for letter in field)


def words_in(field: bytes) -> int:
    """Words of a field; of text that is not ASCII, at least one for every twelve characters."""
    spaced = len(field.split())
    return spaced if field.isascii() else max(spaced, len(field.decode("utf-8", "replace")) // 12)
