"""Rows of an SQL dump as a block: which of them hold a value in a column, and the numbers and texts of columns.

Where fields end is found by array operations on a megabyte at once: a comma outside quotes ends a field, and every
``len(columns)``-th of them ends a row. Only the fields asked for become Python objects. MySQL's own client and
phpMyAdmin write texts of MediaWiki, which are binary, as ``_binary 'text'`` and as ``0x74657874``: both are read.
"""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.ragged import spans

Words = NDArray[np.uint64]
Places = NDArray[np.intp]

DOWNLOAD = "download the dump again"
_FIELD = re.compile(rb"\s*+((?:_binary *)?'(?:[^'\\]|\\.|'')*+'|[^',();\s]*+)\s*+", re.DOTALL)
_HEX = re.compile(rb"0x((?:[0-9A-Fa-f]{2})*)")
_BINARY = re.compile(rb"_binary *(?=')")
_ESCAPE = re.compile(rb"\\(.)|''", re.DOTALL)
_MEANT = bytes.maketrans(b"0bnrtZ", b"\0\b\n\r\t\x1a")
"""The meaning of each byte after a backslash."""
_QUOTE, _COMMA, _OPEN, _CLOSE, _BACKSLASH, _END, _UNDERSCORE, _ZERO, _X, _SPACE = b"',()\\;_0x "
_NO_UTF8 = 0xFF
"""A byte that UTF-8 does not have."""
_PLACES = 1 << 21
_LAST_BIT, _ALL_BITS = np.uint64(63), np.uint64(2**64 - 1)
_LONGEST_NUMBER = 18


def _bits(mask: NDArray[np.bool_]) -> Words:
    """A mask as bits, 64 to a word, the first one lowest; filled up with zeros."""
    packed = np.packbits(mask, bitorder="little")
    return np.concatenate([packed, np.zeros(-len(packed) % 8, dtype=np.uint8)]).view("<u8")


def _where(mask: NDArray[np.bool_]) -> Places:
    """The places where a mask is true, ascending; where they are many, by Polars in a third of NumPy's time."""
    parts = [np.empty(0, dtype=np.intp)]
    for start in range(0, len(mask), _PLACES):
        part = pl.Series(mask[start : start + _PLACES])
        parts.append(_numbers().head(len(part)).filter(part).to_numpy() + np.intp(start))
    return parts[1] if len(parts) == 2 else np.concatenate(parts)


def _ones(bits: Words) -> Places:
    """The numbers of the bits that are set, ascending."""
    return _where(np.unpackbits(bits.view(np.uint8), bitorder="little").view(bool))


@cache
def _numbers() -> pl.Series:
    return pl.Series(np.arange(_PLACES, dtype=np.uint32))


def _beside(bits: Words) -> Words:
    """For each bit, whether the one before or after it is set."""
    beside = (bits << np.uint64(1)) | (bits >> np.uint64(1))
    beside[1:] |= bits[:-1] >> _LAST_BIT
    beside[:-1] |= bits[1:] << _LAST_BIT
    return beside


def _first(bits: Words) -> int | None:
    word = int(np.argmax(bits != 0)) if len(bits) else 0
    found = int(bits[word]) if len(bits) else 0
    return word * 64 + (found & -found).bit_length() - 1 if found else None


def _escaping(slashes: Places) -> Places:
    """Of the places of all backslashes, those that escape what follows: every other one in a run of them."""
    number = np.arange(len(slashes))
    first = number.copy()
    first[1:][slashes[1:] == slashes[:-1] + 1] = 0
    escape: NDArray[np.bool_] = (number - np.maximum.accumulate(first)) & 1 == 0
    return slashes[escape]


class Scan:
    """Where the fields of some rows end in ``text``: values of a statement from the start of a row on, to any place.

    Attributes:
        commas: places of those outside quotes, before ``end``.
        spaced: whether there is white space beside a comma, even after ``end``.
        end: place of the semicolon that ends the statement, if it is there.
        quoted: whether a quote is open at the end of the text.
    """

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.bytes = np.frombuffer(text, dtype=np.uint8)
        escaped = _escaping(_where(self.bytes == _BACKSLASH)) + 1
        self._escaped = escaped[: np.searchsorted(escaped, len(text))]
        self._inside = self._quoted()
        commas = self._outside(_COMMA)
        self.spaced = bool(np.any(commas & _beside(_bits(self.bytes <= _SPACE))))
        self.quoted = bool(len(self._inside) and self._inside[-1] >> _LAST_BIT)
        self.end = _first(self._outside(_END))
        self.commas = _ones(commas)
        if self.end is not None:
            self.commas = self.commas[: np.searchsorted(self.commas, self.end)]

    def _unescaped(self, byte: int) -> Words:
        """Where an unescaped byte stands, as bits."""
        mask = self.bytes == byte
        mask[self._escaped] = False
        return _bits(mask)

    def _quoted(self) -> Words:
        """What is inside quotes, as bits: where the quotes so far, the bit itself included, are odd in number."""
        odd = self._unescaped(_QUOTE)
        for shift in (1, 2, 4, 8, 16, 32):
            odd ^= odd << np.uint64(shift)
        carried = np.logical_xor.accumulate(odd >> _LAST_BIT != 0)
        odd[1:] ^= np.where(carried[:-1], _ALL_BITS, np.uint64(0))
        return odd

    def _outside(self, byte: int) -> Words:
        return self._unescaped(byte) & ~self._inside

    def stop(self, columns: int) -> int:
        """Where the last whole row ends; 0 if there is none."""
        if self.end is not None:
            return self.end
        rows = len(self.commas) // columns
        return int(self.commas[rows * columns - 1]) if rows else 0

    def first_row(self) -> str:
        """A letter for each field of the first row: ``'`` a text, ``0`` NULL, ``#`` anything else."""
        kinds, at = "", 1
        while field := _FIELD.match(self.text, at):
            text = field[1].endswith(b"'") or _HEX.fullmatch(field[1])
            kinds += "'" if text else "0" if field[1] == b"NULL" else "#"
            at = field.end() + 1
            if self.text[at - 1 : at] != b",":
                break
        return kinds

    def without_spaces(self) -> bytes:
        """The text without white space outside quotes."""
        spaces = (self.bytes == _SPACE) | ((self.bytes >= 9) & (self.bytes <= 13))
        return np.delete(self.bytes, _ones(_bits(spaces) & ~self._inside)).tobytes()


class Block:
    """Some ``rows`` of a table with columns ``names``, written ``(...),(...)`` in the dump, before ``stop`` of a scan.

    Messages say ``path`` and ``place``.
    """

    def __init__(self, scan: Scan, stop: int, names: list[str], path: str | Path, place: str) -> None:
        self.names, self._path, self._place = names, path, place
        if not self._taken(scan, stop):
            bare = Scan(scan.text[:stop]).without_spaces()
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
        if not (np.all(self._bytes[between - 1] == _CLOSE) and np.all(self._bytes[between + 1] == _OPEN)):
            return False
        beside = (between + 2, between - 2, [1, stop - 2])
        return not (scan.spaced or any(np.any(self._bytes[places] <= _SPACE) for places in beside))

    def first_rows(self, most: int) -> list[str]:
        """The first rows, as in the dump."""
        edges = self._edges[:: len(self.names)][: most + 1].tolist()
        return [self._text[start + 1 : end].decode("utf-8", "replace") for start, end in pairwise(edges)]

    def _malformed(self, problem: str) -> NoReturn:
        raise UserError(self._path, self._place, problem, DOWNLOAD)

    def _bounds(self, column: str, rows: Places | slice = slice(None)) -> tuple[Places, Places]:
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
        start, end = self._bounds(column)
        rows = np.flatnonzero(end - start == len(wanted))
        for offset in sorted(range(len(wanted)), key=lambda offset: wanted[offset] == _QUOTE):  # quotes tell least
            rows = rows[self._bytes[start[rows] + offset] == wanted[offset]]
        same = np.zeros(self.rows, dtype=bool)
        same[rows] = True
        return same

    def numbers(self, column: str, rows: Places) -> NDArray[np.int64]:
        """The whole numbers of ``column`` in the given rows, int64; UserError where one is not all decimal digits."""
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

    def texts(self, column: str, rows: Places | slice = slice(None)) -> list[bytes]:
        """The texts of ``column`` in all or the given rows, unquoted and unescaped, still bytes; NULL is empty."""
        start, end = self._bounds(column, rows)
        if self._are_typed(start):
            fields = zip(start.tolist(), end.tolist(), strict=True)
            return [_typed_text(self._text[begin:stop]) for begin, stop in fields]
        quoted = (self._bytes[end - 1] == _QUOTE) & (self._bytes[start] == _QUOTE)
        null = ~quoted & (end - start == len(b"NULL")) & (self._bytes[start] == ord("N"))
        start, end = start + quoted, np.where(null, start, end - quoted)
        lengths = np.maximum(end - start, 0) + 1  # and _NO_UTF8, to split at
        laid_out = self._bytes[spans(start, lengths)]
        laid_out[np.cumsum(lengths) - 1] = _NO_UTF8
        if np.count_nonzero(laid_out == _NO_UTF8) > len(start) or b"''" in laid_out.tobytes():
            fields = zip(start.tolist(), end.tolist(), strict=True)
            return [_ESCAPE.sub(_unescape, self._text[begin:stop]) for begin, stop in fields]
        return _without_escapes(laid_out).tobytes().split(bytes([_NO_UTF8]))[:-1]

    def _are_typed(self, start: Places) -> bool:
        """Whether one of the fields that begin at these places is ``_binary 'text'`` or hexadecimal."""
        first = self._bytes[start]
        return bool(np.any(first == _UNDERSCORE) or np.any(self._bytes[start[first == _ZERO] + 1] == _X))


def _without_escapes(texts: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Texts, each followed by ``_NO_UTF8``, unescaped, all of them at once."""
    places = _escaping(_where(texts == _BACKSLASH))
    places = places[texts[places + 1] != _NO_UTF8]
    if not len(places):
        return texts
    texts[places + 1] = np.frombuffer(_MEANT, dtype=np.uint8)[texts[places + 1]]
    kept = np.ones(len(texts), dtype=bool)
    kept[places] = False
    return texts[kept]


def _typed_text(field: bytes) -> bytes:
    code = _HEX.fullmatch(field)
    if code:
        return bytes.fromhex(code[1].decode())
    text = _BINARY.sub(b"", field, count=1) if field.startswith(b"_") else field
    return b"" if text == b"NULL" else _ESCAPE.sub(_unescape, text[1:-1] if text[:1] == b"'" else text)


def _unescape(match: re.Match[bytes]) -> bytes:
    return b"'" if match[1] is None else match[1].translate(_MEANT)
