"""MediaWiki SQL dumps: chosen columns of chosen rows, streamed straight from ``.sql`` or ``.sql.gz``.

A dump is what ``mysqldump`` writes: ``CREATE TABLE`` names the columns in their order, which differs between years;
then come ``INSERT INTO ... VALUES (...),(...);`` statements, most often one line of about a megabyte each. Rows are
cut apart with array operations: once escaped quotes are blanked, a comma outside quotes ends a field, and every
``len(columns)``-th of them ends a row. Only the fields asked for ever become Python objects, and no more than one
block of rows is held at a time.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NoReturn

import numpy as np
from numpy.typing import NDArray

from switchrank.errors import UserError

_BLOCK_BYTES = 1 << 20
_CREATE = re.compile(rb"\s*CREATE TABLE (?:IF NOT EXISTS )?`?(\w+)`?")
_COLUMN = re.compile(rb"\s*`([^`]+)`\s")
_INSERT = re.compile(rb"\s*INSERT (?:IGNORE )?INTO `?(\w+)`?\s*VALUES\s*")
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_UNESCAPED = {b"0": b"\0", b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"Z": b"\x1a"}
_QUOTE, _COMMA, _OPEN, _CLOSE, _BACKSLASH = b"',()\\"


def read_blocks(path: str | Path, table: str, columns: Sequence[str]) -> Iterator[Block]:
    """Yield the rows of ``table`` block by block, in the order of the dump.

    Args:
        path: a dump, plain or gzip (told apart by its first bytes).
        table: the table's name, such as ``page``.
        columns: names of columns the table must have.

    Raises:
        UserError: no such file; no ``CREATE TABLE`` before the rows; a column is missing; rows that do not fit the
            columns; the file ends early or its gzip stream is damaged.
    """
    for place, names, block in _blocks(Path(path), table):
        missing = [name for name in columns if name not in names]
        if missing:
            found = " ".join(names)
            _fail(path, f"CREATE TABLE `{table}`", f"no column `{missing[0]}` (found: {found})", "give another dump")
        yield Block(block, names, path, place)


def _fail(path: str | Path, place: str, problem: str, todo: str) -> NoReturn:
    raise UserError(path, place, problem, todo)


class Block:
    """Some rows of a table, ``(...),(...)`` as in the dump, with the positions of their fields.

    Args:
        text: the rows.
        names: the table's columns.
        path, place: where the rows stand, for messages.

    Attributes:
        rows: how many rows there are.
    """

    def __init__(self, text: bytes, names: list[str], path: str | Path, place: str) -> None:
        self._text, self._names, self._path, self._place = text, names, path, place
        self._bytes = np.frombuffer(text, dtype=np.uint8)
        self._slashes = np.flatnonzero(self._bytes == _BACKSLASH)
        if text[:1] != b"(" or text[-1:] != b")":
            self._malformed("no rows in round brackets")
        blanked = self._without_escapes()
        marks = np.flatnonzero((blanked == _QUOTE) | (blanked == _COMMA))
        quotes = blanked[marks] == _QUOTE
        inside = np.logical_xor.accumulate(quotes)
        self._edges = np.concatenate([[-1], marks[~(quotes | inside)], [len(text)]])
        self.rows, rest = divmod(len(self._edges) - 1, len(names))
        if rest or inside[-1:].any() or not self._rows_are_closed():
            self._malformed(f"rows that do not have the {len(names)} columns of the CREATE TABLE")

    def _without_escapes(self) -> NDArray[np.uint8]:
        """The bytes with escaped characters blanked, so that every quote left opens or closes a text."""
        if not len(self._slashes):
            return self._bytes
        number = np.arange(len(self._slashes))
        begins_run = np.diff(self._slashes, prepend=-2) > 1
        in_run = number - np.maximum.accumulate(np.where(begins_run, number, 0))
        blanked = self._bytes.copy()
        blanked[self._slashes[in_run % 2 == 0] + 1] = 0  # in a run of backslashes every other one escapes the next
        return blanked

    def _rows_are_closed(self) -> bool:
        between = self._edges[len(self._names) : -1 : len(self._names)]
        return bool(np.all(self._bytes[between - 1] == _CLOSE) and np.all(self._bytes[between + 1] == _OPEN))

    def _malformed(self, problem: str) -> NoReturn:
        _fail(self._path, self._place, problem, "download the dump again")

    def _bounds(self, column: str) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        number, columns = self._names.index(column), len(self._names)
        start, end = self._edges[number:-1:columns], self._edges[number + 1 :: columns]
        return start + 1 + (number == 0), end - (number == columns - 1)

    def equal(self, column: str, value: str | int) -> NDArray[np.bool_]:
        """Which rows hold ``value`` in ``column``; boolean, shape ``(rows,)``."""
        start, end = self._bounds(column)
        wanted = (f"'{value}'" if isinstance(value, str) else str(value)).encode()
        same: NDArray[np.bool_] = end - start == len(wanted)
        for offset, byte in enumerate(wanted):
            same[same] = self._bytes[start[same] + offset] == byte
        return same

    def numbers(self, column: str, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """The whole numbers of ``column`` in the given rows; int64, shape of ``rows``.

        Raises:
            UserError: a field is not a row of decimal digits.
        """
        start, end = (bound[rows] for bound in self._bounds(column))
        value = np.zeros(len(rows), dtype=np.int64)
        for offset in range(int((end - start).max(initial=0))):
            more = start + offset < end
            digit = self._bytes[np.where(more, start + offset, 0)].astype(np.int64) - ord("0")
            if np.any(more & ((digit < 0) | (digit > 9))):
                self._malformed(f"`{column}` is not a number everywhere")
            value = np.where(more, value * 10 + digit, value)
        return value

    def texts(self, column: str, rows: NDArray[np.intp]) -> list[bytes]:
        """The texts of ``column`` in the given rows, unquoted and unescaped, still bytes; an unquoted NULL is empty."""
        start, end = (bound[rows] for bound in self._bounds(column))
        quoted = (self._bytes[end - 1] == _QUOTE) & (self._bytes[start] == _QUOTE)
        start, end = start + quoted, np.where(quoted, end - 1, start)
        text = self._text
        values = [text[a:b] for a, b in zip(start.tolist(), end.tolist(), strict=True)]
        first, last = np.searchsorted(self._slashes, start), np.searchsorted(self._slashes, end)
        for number in np.flatnonzero(first < last).tolist():
            values[number] = _ESCAPE.sub(_unescape, values[number])
        return values


def _unescape(match: re.Match[bytes]) -> bytes:
    return _UNESCAPED.get(match[1], match[1])


def _blocks(path: Path, table: str) -> Iterator[tuple[str, list[str], bytes]]:
    """Yield (place, column names, rows as ``(...),(...)``), each block about a megabyte or one long line."""
    names: list[str] = []
    for number, line, statement in _statements(path):
        place = f"line {number}"
        created = _CREATE.match(line)
        if created and created[1].decode() == table:
            names = [found[1].decode() for found in map(_COLUMN.match, statement) if found]
            continue
        insert = _INSERT.match(line)
        if not insert or insert[1].decode() != table:
            continue
        if not names:
            problem = f"rows of `{table}` before its CREATE TABLE, so the order of columns is unknown"
            _fail(path, place, problem, "give the whole dump file, not a cut from its middle")
        pending, size = [line[insert.end() :].rstrip(b",; \r\n")], len(line)
        for more in statement:
            if size >= _BLOCK_BYTES:
                yield place, names, b",".join(filter(None, pending))
                pending, size = [], 0
            pending.append(more.strip().rstrip(b",;"))
            size += len(more)
        yield place, names, b",".join(filter(None, pending))
    if not names:
        _fail(path, "", f"no CREATE TABLE `{table}` in it", f"give the dump of the table `{table}`")


def _statements(path: Path) -> Iterator[tuple[int, bytes, Iterator[bytes]]]:
    """Yield (line number, first line, iterator over the further lines) of each CREATE and INSERT statement."""
    number = 0

    def rest(line: bytes) -> Iterator[bytes]:
        nonlocal number
        start = number
        while not line.rstrip().endswith(b";"):
            line = next(lines, b"")
            number += 1
            if not line:
                _fail(path, f"line {start}", "the file ends inside this statement", "download it again")
            yield line

    with _open(path) as stream:
        lines = _lines(path, stream)
        for line in lines:
            number += 1
            if line.lstrip()[:6] in (b"CREATE", b"INSERT"):
                further = rest(line)
                yield number, line, further
                for _ in further:
                    pass


def _open(path: Path) -> IO[bytes]:
    try:
        with path.open("rb") as head:
            packed = head.read(2) == b"\x1f\x8b"
        return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise UserError(path, "", f"cannot be read ({error.strerror})", "correct the path") from error


def _lines(path: Path, stream: IO[bytes]) -> Iterator[bytes]:
    try:
        yield from stream
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(path, "", f"damaged or truncated gzip ({error})", "download it again") from error
