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
import pyarrow as pa
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
_WORDS = 1 << 15
_LAST_BIT, _ALL_BITS, _EVEN = np.uint64(63), np.uint64(2**64 - 1), np.uint64(0x5555555555555555)
_LONGEST_NUMBER = 18


class _Arrow:
    """Numbers or bits in memory, to be taken by Polars as they are; given a pyarrow.Array it would load its kernels."""

    def __init__(self, kind: pa.DataType, values: bytes | Words, count: int) -> None:
        self._array = pa.Array.from_buffers(kind, count, [None, pa.py_buffer(values)])

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        schema, array = self._array.__arrow_c_array__(requested_schema)
        return schema, array


def _bits(mask: pl.Series) -> Words:
    """A mask as bits, 64 to a word, the first one lowest; filled up with zeros."""
    packed = np.frombuffer(mask.to_arrow().buffers()[1], dtype=np.uint8)
    bits: Words = np.concatenate([packed, np.zeros(-len(packed) % 8, dtype=np.uint8)]).view("<u8")
    if len(mask) % 64:
        bits[-1] &= _ALL_BITS >> np.uint64(64 - len(mask) % 64)
    return bits


def _ones(bits: Words) -> Places:
    """The numbers of the bits that are set, ascending; by Polars in a quarter of NumPy's time."""
    parts = [np.empty(0, dtype=np.intp)]
    for start in range(0, len(bits), _WORDS):
        part = bits[start : start + _WORDS]
        mask = pl.Series(_Arrow(pa.bool_(), part, 64 * len(part)))
        parts.append(_numbers().head(len(mask)).filter(mask).to_numpy() + np.intp(64 * start))
    return parts[1] if len(parts) == 2 else np.concatenate(parts)


@cache
def _numbers() -> pl.Series:
    return pl.Series(np.arange(64 * _WORDS, dtype=np.uint32))


def _first(bits: Words) -> int | None:
    word = int(np.argmax(bits != 0)) if len(bits) else 0
    found = int(bits[word]) if len(bits) else 0
    return word * 64 + (found & -found).bit_length() - 1 if found else None


def _escaped(slashes: Words) -> Words:
    """What is escaped by a run of backslashes before it, as bits: the byte after each run of an odd number of them.

    A bit that is added where a run begins is carried to the byte after it, and the run is odd if one of the two places
    is even and the other is not (Langdale and Lemire 2019, "Parsing gigabytes of JSON per second", section 3.1.1).
    """
    before = slashes << np.uint64(1)
    before[1:] |= slashes[:-1] >> _LAST_BIT
    first, escaped = slashes & ~before, np.zeros_like(slashes)
    for begin, after in ((_EVEN, ~_EVEN), (~_EVEN, _EVEN)):
        carried = slashes + (first & begin)
        over = carried < slashes
        full = carried == _ALL_BITS
        if np.any(full):  # what comes from the word before goes on to the word behind
            over = over[np.maximum.accumulate(np.where(full, 0, np.arange(len(full))))]
        carried[1:] += over[:-1]
        escaped |= carried & ~slashes & after
    return escaped


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
        end: place of the semicolon that ends the statement, if it is there.
        quoted: whether a quote is open at the end of the text.
    """

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.bytes = np.frombuffer(text, dtype=np.uint8)
        self._series = pl.Series(_Arrow(pa.uint8(), text, len(text)))
        self._plain = ~_escaped(_bits(self._series == _BACKSLASH))
        self._inside = self._quoted()
        self._spaces = _bits(self._series <= _SPACE) & ~self._inside
        self.quoted = bool(len(self._inside) and self._inside[-1] >> _LAST_BIT)
        self.end = _first(self._outside(_END))
        self.commas = _ones(self._outside(_COMMA))
        if self.end is not None:
            self.commas = self.commas[: np.searchsorted(self.commas, self.end)]

    def _unescaped(self, byte: int) -> Words:
        """Where an unescaped byte stands, as bits."""
        return _bits(self._series == byte) & self._plain

    def _quoted(self) -> Words:
        """What is inside quotes, as bits: where the quotes so far, the bit itself included, are odd in number."""
        odd = self._unescaped(_QUOTE)
        shifted = np.empty_like(odd)
        for shift in (1, 2, 4, 8, 16, 32):
            odd ^= np.left_shift(odd, np.uint64(shift), out=shifted)
        before = np.bitwise_xor.accumulate(odd)[:-1]
        odd[1:] ^= (before.view(np.int64) >> np.int64(63)).view(np.uint64)  # all bits where the last one before is set
        return odd

    def _outside(self, byte: int) -> Words:
        return self._unescaped(byte) & ~self._inside

    def stop(self, columns: int) -> int:
        """Where the last whole row ends; 0 if there is none."""
        if self.end is not None:
            return self.end
        rows = len(self.commas) // columns
        return int(self.commas[rows * columns - 1]) if rows else 0

    def spaced(self, stop: int) -> bool:
        """Whether there is white space outside quotes before ``stop``."""
        first = _first(self._spaces)
        return first is not None and first < stop

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
        spaces = (self._series == _SPACE) | self._series.is_between(9, 13)
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
        if not scan.spaced(stop):
            return True
        inner = self._edges[1:-1]
        beside = np.concatenate([inner - 1, inner + 1, between - 2, between + 2, [1, stop - 2]])
        return not np.any(self._bytes[beside] <= _SPACE)

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
        first, *others = sorted(range(len(wanted)), key=lambda offset: wanted[offset] == _QUOTE)  # quotes tell least
        rows = np.flatnonzero(self._bytes.take(start + first, mode="clip") == wanted[first])
        rows = rows[(end - start)[rows] == len(wanted)]
        for offset in others:
            rows = rows[self._bytes[start[rows] + offset] == wanted[offset]]
        same = np.zeros(self.rows, dtype=bool)
        same[rows] = True
        return same

    def numbers(self, column: str, rows: Places) -> NDArray[np.int64]:
        """The whole numbers of ``column`` in the given rows, int64; UserError where one is not all decimal digits."""
        start, end = self._bounds(column, rows)
        length = end - start
        if length.min(initial=1) < 1 or length.max(initial=0) > _LONGEST_NUMBER:
            self._malformed(f"`{column}` is not a number everywhere")
        power = np.arange(length.max(initial=0))
        there = power < length[:, np.newaxis]
        digits = self._bytes[(end - 1)[:, np.newaxis] - power] - np.uint8(ord("0"))
        if np.any(there & (digits > 9)):
            self._malformed(f"`{column}` is not a number everywhere")
        value: NDArray[np.int64] = np.where(there, digits, 0) @ 10**power
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
    places = _escaping(np.flatnonzero(texts == _BACKSLASH))
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
