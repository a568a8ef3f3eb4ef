"""Rows of an SQL dump as a block: which hold a value in a column, and the numbers and texts of columns.

Only the fields asked for ever become Python objects. MySQL's own client and phpMyAdmin write the binary columns, which
all texts of MediaWiki are, as ``_binary 'text'`` and as ``0x74657874``; both are read as the text.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.ragged import spans
from switchrank.lexicon.dump_scan import BACKSLASH, CLOSE, HEX, OPEN, QUOTE, SPACE, Scan, escaping, where

DOWNLOAD = "download the dump again"
_LONGEST_NUMBER = 18
_BINARY = re.compile(rb"_binary *(?=')")
_ESCAPE = re.compile(rb"\\(.)|''", re.DOTALL)
_UNESCAPED = {b"0": b"\0", b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"Z": b"\x1a"}
_UNDERSCORE, _ZERO, _X = b"_0x"
_NO_UTF8 = b"\xff"


class Block:
    """Some rows of a table, ``(...),(...)`` as in the dump, with the positions of their fields.

    Args:
        text: the rows.
        names: the table's columns.
        path, place: where the rows stand, for messages.
        scan: of ``text``, if it was made already.
        stop: where the last row ends in ``text``; default: at its end.

    Attributes:
        names: the table's columns.
        rows: how many rows there are.
    """

    def __init__(
        self,
        text: bytes,
        names: list[str],
        path: str | Path,
        place: str,
        scan: Scan | None = None,
        stop: int | None = None,
    ) -> None:
        self.names, self._path, self._place = names, path, place
        stop = len(text) if stop is None else stop
        if not self._taken(scan or Scan(text), stop):
            bare = Scan(text[:stop]).without_spaces()
            if not self._taken(Scan(bare), len(bare)):
                self._malformed(f"rows that do not have the {len(names)} columns {' '.join(names)}"[:300])

    def _taken(self, scan: Scan, stop: int) -> bool:
        """Take the positions of the fields before ``stop``; whether whole rows without spaces around fields."""
        text = scan.text
        self._text, self._bytes = text, scan.bytes
        columns, commas = len(self.names), scan.commas[: np.searchsorted(scan.commas, stop)]
        self._edges = np.concatenate([[-1], commas, [stop]])
        self.rows, rest = divmod(len(commas) + 1, columns)
        if rest or text[:1] != b"(" or text[stop - 1 : stop] != b")" or (scan.quoted and len(text) == stop):
            return False
        between = self._edges[columns:-1:columns]
        if not (np.all(self._bytes[between - 1] == CLOSE) and np.all(self._bytes[between + 1] == OPEN)):
            return False
        beside = (between + 2, between - 2, [1, stop - 2])
        return not (scan.spaced or any(np.any(self._bytes[places] <= SPACE) for places in beside))

    @property
    def all(self) -> NDArray[np.intp]:
        """The numbers of all rows."""
        return np.arange(self.rows)

    def first_rows(self, most: int) -> list[str]:
        """The first rows as they are written."""
        edges = self._edges[:: len(self.names)][: most + 1].tolist()
        return [self._text[start + 1 : end].decode("utf-8", "replace") for start, end in pairwise(edges)]

    def _malformed(self, problem: str) -> NoReturn:
        raise UserError(self._path, self._place, problem, DOWNLOAD)

    def _bounds(
        self, column: str, rows: NDArray[np.intp] | slice = slice(None)
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        number, columns = self.names.index(column), len(self.names)
        start, end = self._edges[number:-1:columns][rows], self._edges[number + 1 :: columns][rows]
        return start + (2 if number == 0 else 1), end - 1 if number == columns - 1 else end

    def equal(self, column: str, value: str | int) -> NDArray[np.bool_]:
        """Which rows hold ``value`` in ``column``; boolean, shape ``(rows,)``."""
        if isinstance(value, int):
            return self._written(column, str(value).encode())
        plain, code = b"'" + value.encode() + b"'", value.encode().hex()
        same = self._written(column, plain)
        if self._are_typed(self._bounds(column)[0]):
            for other in (b"_binary " + plain, b"_binary" + plain, f"0x{code}".encode(), f"0x{code.upper()}".encode()):
                same |= self._written(column, other)
        return same

    def _written(self, column: str, wanted: bytes) -> NDArray[np.bool_]:
        """In which rows ``column`` is written like this."""
        start, end = self._bounds(column)
        rows = np.flatnonzero(end - start == len(wanted))
        for offset in sorted(range(len(wanted)), key=lambda offset: wanted[offset] == QUOTE):  # quotes tell least
            rows = rows[self._bytes[start[rows] + offset] == wanted[offset]]
        same = np.zeros(self.rows, dtype=bool)
        same[rows] = True
        return same

    def numbers(self, column: str, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """The whole numbers of ``column`` in the given rows; int64, shape of ``rows``.

        Raises:
            UserError: a field is not a row of decimal digits.
        """
        start, end = self._bounds(column, rows)
        value = np.zeros(len(rows), dtype=np.int64)
        length = end - start
        if length.min(initial=1) < 1 or length.max(initial=0) > _LONGEST_NUMBER:
            self._malformed(f"`{column}` is not a number everywhere")
        for offset in range(int(length.max(initial=0))):
            more = start + offset < end
            digit = self._bytes[np.where(more, start + offset, 0)].astype(np.int64) - ord("0")
            if np.any(more & ((digit < 0) | (digit > 9))):
                self._malformed(f"`{column}` is not a number everywhere")
            value = np.where(more, value * 10 + digit, value)
        return value

    def texts(self, column: str, rows: NDArray[np.intp]) -> list[bytes]:
        """The texts of ``column`` in the given rows, unquoted and unescaped, still bytes; NULL is empty."""
        start, end = self._bounds(column, rows)
        if self._are_typed(start):
            fields = zip(start.tolist(), end.tolist(), strict=True)
            return [_typed_text(self._text[begin:stop]) for begin, stop in fields]
        quoted = (self._bytes[end - 1] == QUOTE) & (self._bytes[start] == QUOTE)
        null = ~quoted & (end - start == len(b"NULL")) & (self._bytes[start] == ord("N"))
        start, end = start + quoted, np.where(null, start, end - quoted)
        lengths = np.maximum(end - start, 0) + 1  # and a byte that UTF-8 does not have, to split at
        laid_out = self._bytes[spans(start, lengths)]
        laid_out[np.cumsum(lengths) - 1] = ord(_NO_UTF8)
        if np.count_nonzero(laid_out == ord(_NO_UTF8)) > len(rows) or b"''" in laid_out.tobytes():
            fields = zip(start.tolist(), end.tolist(), strict=True)
            return [_ESCAPE.sub(_unescape, self._text[begin:stop]) for begin, stop in fields]
        return _without_escapes(laid_out).tobytes().split(_NO_UTF8)[:-1]

    def _are_typed(self, start: NDArray[np.intp]) -> bool:
        """Whether one of the fields that begin at these places is ``_binary 'text'`` or hexadecimal."""
        first = self._bytes[start]
        return bool(np.any(first == _UNDERSCORE) or np.any(self._bytes[start[first == _ZERO] + 1] == _X))


def _without_escapes(texts: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Texts, each with the byte behind it that UTF-8 does not have, unescaped, all of them at once."""
    places = escaping(where(texts == BACKSLASH))
    places = places[texts[places + 1] != ord(_NO_UTF8)]
    if not len(places):
        return texts
    texts[places + 1] = _meant()[texts[places + 1]]
    kept = np.ones(len(texts), dtype=bool)
    kept[places] = False
    return texts[kept]


@cache
def _meant() -> NDArray[np.uint8]:
    """What each byte means behind a backslash."""
    table = np.arange(256, dtype=np.uint8)
    for letter, byte in _UNESCAPED.items():
        table[ord(letter)] = ord(byte)
    return table


def _typed_text(field: bytes) -> bytes:
    code = HEX.fullmatch(field)
    if code:
        return bytes.fromhex(code[1].decode())
    text = _BINARY.sub(b"", field, count=1) if field.startswith(b"_") else field
    return b"" if text == b"NULL" else _ESCAPE.sub(_unescape, text[1:-1] if text[:1] == b"'" else text)


def _unescape(match: re.Match[bytes]) -> bytes:
    return b"'" if match[1] is None else _UNESCAPED.get(match[1], match[1])
