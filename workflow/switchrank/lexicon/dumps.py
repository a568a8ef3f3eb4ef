"""MediaWiki SQL dumps: chosen columns of chosen rows, streamed straight from the packed file.

A dump is what ``mysqldump`` writes: ``CREATE TABLE`` names the columns in their order, which differs between years;
then come ``INSERT INTO ... VALUES (...),(...);`` statements, most often one line of about a megabyte each. Rows are
cut apart with array operations: escaped quotes left aside, a comma outside quotes ends a field, and every
``len(columns)``-th of them ends a row. Only the fields asked for ever become Python objects, and only a
few blocks of rows are held at a time, however long a statement is. The file is unpacked ahead in a thread of its own;
cutting has none, since two threads of small array operations wait for each other's turn.

MySQL's own client and phpMyAdmin write the binary columns, which all texts of MediaWiki are, as ``_binary 'text'`` and
as ``0x74657874``; both are read as the text.

Cuts of a dump have no ``CREATE TABLE``. Their columns are those that are given, or those of the one layout in
:data:`LAYOUTS` that has as many fields, quoted in the same places.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.allocator import keep_freed_memory
from switchrank.core.errors import UserError
from switchrank.core.ragged import spans
from switchrank.files.read_ahead import read_ahead
from switchrank.files.reading import open_bytes

Words = NDArray[np.uint64]

LAYOUTS: dict[str, list[str]] = {
    "page": [
        # MediaWiki 1.5, 1.21, 1.22, 1.24, 1.25 and 1.37: https://www.mediawiki.org/wiki/Manual:Page_table
        "#id #namespace 'title 'restrictions #counter #is_redirect #is_new #random 'touched #latest #len",
        "#id #namespace 'title 'restrictions #counter #is_redirect #is_new #random 'touched #latest "
        "#len ?content_model",
        "#id #namespace 'title 'restrictions #counter #is_redirect #is_new #random 'touched ?links_updated #latest "
        "#len ?content_model",
        "#id #namespace 'title 'restrictions #counter #is_redirect #is_new #random 'touched ?links_updated #latest "
        "#len ?content_model ?lang",
        "#id #namespace 'title 'restrictions #is_redirect #is_new #random 'touched ?links_updated #latest #len "
        "?content_model ?lang",
        "#id #namespace 'title #is_redirect #is_new #random 'touched ?links_updated #latest #len ?content_model ?lang",
    ],
    "langlinks": ["#from 'lang 'title"],
}
"""Column orders of the years, without the prefix of their names: ``#`` a number, ``'`` a text, ``?`` a text or NULL."""
PREFIXES = {"page": "page_", "langlinks": "ll_"}

_READ = 1 << 20
_CHUNK = 1 << 21
"""The longest line that is taken whole; mysqldump's are of about a megabyte."""
_LONGEST_ROW = 1 << 26
_LONGEST_HEAD = 1 << 16
_LONGEST_NUMBER = 18
_DEEPEST = 8
_NAME = rb"(?:`?\w+`?\.)?`?(\w+)`?"
_CREATE = re.compile(rb"\s*CREATE TABLE (?:IF NOT EXISTS )?" + _NAME + rb"\s*\(", re.IGNORECASE)
_WRITE = re.compile(rb"\s*(?:INSERT|REPLACE) (?:IGNORE )?INTO\b", re.IGNORECASE)
_INSERT = re.compile(_WRITE.pattern + rb"\s*" + _NAME + rb"\s*(?:\(([^()']*)\)\s*)?VALUES\s*", re.IGNORECASE)
_KEY = re.compile(rb"(?:PRIMARY|UNIQUE|FULLTEXT|SPATIAL|KEY|INDEX|CONSTRAINT|FOREIGN|CHECK)\b", re.IGNORECASE)
_COLUMN = re.compile(rb"`([^`]+)`|(\w+)")
_FIELD = re.compile(rb"(?:_binary *)?'(?:[^'\\]|\\.|'')*+'|[^',();]*+", re.DOTALL)
_HEX = re.compile(rb"0x((?:[0-9A-Fa-f]{2})*)")
_BINARY = re.compile(rb"_binary *(?=')")
_TEXT = re.compile(rb"'(?:[^'\\]|\\.|'')*+'", re.DOTALL)
_NESTED = re.compile(rb"\([^()]*\)")
_ESCAPE = re.compile(rb"\\(.)|''", re.DOTALL)
_UNESCAPED = {b"0": b"\0", b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"Z": b"\x1a"}
_QUOTE, _COMMA, _OPEN, _CLOSE, _BACKSLASH, _END = b"',()\\;"
_UNDERSCORE, _ZERO, _X = b"_0x"
_SPACE = 32
_NO_UTF8 = b"\xff"
_PLACES = 1 << 21
_LAST_BIT, _ALL_BITS = np.uint64(63), np.uint64(2**64 - 1)
_FITS = {"#": "#", "'": "'", "?": "'0"}
_DOWNLOAD = "download the dump again"


def read_blocks(
    path: str | Path, table: str, columns: Sequence[str], *, names: Sequence[str] | None = None, what: str | None = None
) -> Iterator[Block]:
    """Yield the rows of ``table`` block by block, in the order of the dump.

    Args:
        path: a dump, plain or packed (told apart by its first bytes).
        table: the table's name, such as ``page``.
        columns: names of columns the table must have.
        names: all columns in their order, for a dump that does not tell it.
        what: name of a progress bar over the file.

    Raises:
        UserError: no such file; rows before any ``CREATE TABLE`` that fit no known layout; a column is missing; rows
            that do not fit the columns; the file ends early or its packed stream is damaged; no such table.
    """
    told = list(names or [])
    seen = False
    keep_freed_memory()
    with open_bytes(path, what=what) as stream, closing(read_ahead(_pieces(stream))) as pieces:
        dump = _Dump(path, pieces)
        for head in dump.statements():
            created, insert = _CREATE.match(head), _INSERT.match(head)
            if created and created[1].decode() == table:
                told, seen = _columns(head[created.end() :]), True
            elif insert and insert[1].decode() == table:
                own = (
                    [name.strip(b" `").decode(errors="replace") for name in insert[2].split(b",")]
                    if insert[2]
                    else told
                )
                for block in dump.rows(head[insert.end() :], table, own):
                    _check(path, table, columns, block)
                    yield block
                seen = True
    if not seen:
        _fail(path, "", f"no CREATE TABLE and no rows of `{table}` in it", f"give the dump of the table `{table}`")


def _pieces(stream: io.BufferedReader) -> Generator[bytes]:
    """The text in pieces that end with a line, unless that is long; joined here, in the thread that has time."""
    rest = b""
    while piece := stream.read(_READ):
        stop = piece.rfind(b"\n") + 1
        if not stop and len(rest) < _CHUNK:
            rest += piece
            continue
        stop = stop or len(piece)
        yield b"".join([rest, memoryview(piece)[:stop]])
        rest = piece[stop:]
    if rest:
        yield rest


def _check(path: str | Path, table: str, columns: Sequence[str], block: Block) -> None:
    missing = [name for name in columns if name not in block.names]
    if missing:
        problem = f"no column `{missing[0]}` (found: {' '.join(block.names)})"
        _fail(path, f"CREATE TABLE `{table}`", problem, "give another dump")


def _fail(path: str | Path, place: str, problem: str, todo: str) -> NoReturn:
    raise UserError(path, place, problem, todo)


class _Dump:
    """The statements of a dump, and the rows of those that are asked for, in one pass."""

    def __init__(self, path: str | Path, pieces: Iterator[bytes]) -> None:
        self._path, self._pieces = path, pieces
        self._buffer, self._at, self._piece = b"", 0, _CHUNK
        self._number, self._fresh = 0, True

    def statements(self) -> Iterator[bytes]:
        """Yield each CREATE TABLE whole, and of each INSERT what stands on the line of its VALUES and before."""
        while True:
            fresh, line = self._fresh, self._line()
            if not line:
                return
            if fresh and _CREATE.match(line):
                yield self._until(line, _ends)
            elif fresh and _WRITE.match(line):
                yield self._until(line, lambda text: _ends(text) or b"VALUES" in text[:_LONGEST_HEAD].upper())

    def _until(self, line: bytes, last: Callable[[bytes], bool]) -> bytes:
        place, parts, size = self.place, [line], len(line)
        while not last(line):
            line = self._line()
            size += len(line)
            if not line or size > _LONGEST_HEAD:
                _fail(self._path, place, "the file ends inside this statement", _DOWNLOAD)
            parts.append(line)
        return b"".join(parts)

    @property
    def place(self) -> str:
        """The line read last."""
        return f"line {self._number}"

    def rows(self, text: bytes, table: str, names: list[str]) -> Iterator[Block]:
        """Yield the rows of the statement whose values begin with ``text``, and go on behind its semicolon."""
        place, size = self.place, 0 if _ends(text) or self._piece < _CHUNK else _CHUNK
        while True:
            more = self._more(size)
            text += more
            scan = _Scan(text)
            names = names or _layout(self._path, place, table, scan.first_row())
            stop = scan.stop(len(names))
            if stop:
                yield Block(text, names, self._path, place, scan, stop)
            if scan.end is not None:
                self._push_back(text[scan.end + 1 :], scan.end)
                return
            if size and not more:
                _fail(self._path, place, "the file ends inside this statement", _DOWNLOAD)
            text = text[stop + 1 :] if stop else text
            self._piece = min(_CHUNK, 2 * self._piece)
            size = max(self._piece, len(text))
            if len(text) > _LONGEST_ROW:
                _fail(self._path, place, f"a row of more than {_LONGEST_ROW:,} bytes", _DOWNLOAD)

    def _more(self, size: int) -> bytes:
        """The lines up to one that ends a statement, or ``size`` bytes of them."""
        parts = []
        while size > 0 and (line := self._line()):
            parts.append(line)
            size -= len(line)
            if _ends(line):
                break
        return b"".join(parts)

    def _push_back(self, rest: bytes, taken: int) -> None:
        """Hand out ``rest`` again; where more statements share its line, in pieces of their size."""
        if not rest.strip():
            return
        self._piece = max(4096, 2 * taken)
        self._number -= rest.count(b"\n")
        self._fresh = True
        if len(rest) <= self._at:
            self._at -= len(rest)
        else:
            self._buffer, self._at = rest + self._buffer[self._at :], 0

    def _line(self) -> bytes:
        """The next line, or about a megabyte of a longer one; empty at the end of the file."""
        while (end := self._buffer.find(b"\n", self._at, self._at + self._piece)) < 0:
            if len(self._buffer) - self._at >= self._piece:
                break
            more = next(self._pieces, b"")
            self._buffer, self._at = self._buffer[self._at :] + more, 0
            if not more:
                break
        stop = end + 1 if end >= 0 else min(len(self._buffer), self._at + self._piece)
        line, self._at = self._buffer[self._at : stop], stop
        self._fresh = line.endswith(b"\n")
        if self._fresh:
            self._number, self._piece = self._number + 1, _CHUNK
        return line


def _ends(line: bytes) -> bool:
    """Whether a statement seems to end with this line."""
    return line[-8:].rstrip().endswith(b";")


def _columns(body: bytes) -> list[str]:
    """Names of the columns that a CREATE TABLE defines, in their order; ``body`` is what follows its first bracket."""
    inner = _TEXT.sub(b"", body[: body.rfind(b")")])
    for _ in range(_DEEPEST):
        inner = _NESTED.sub(b"", inner)
    definitions = (part.strip() for part in inner.partition(b")")[0].split(b","))
    found = (_COLUMN.match(part) for part in definitions if not _KEY.match(part))
    return [(name[1] or name[2]).decode(errors="replace") for name in found if name]


def _layout(path: str | Path, place: str, table: str, kinds: str) -> list[str]:
    """The columns of a dump without CREATE TABLE, by the number of fields and which of them are quoted."""
    for layout in LAYOUTS.get(table, []):
        columns = layout.split()
        if len(columns) == len(kinds) and all(k in _FITS[c[0]] for c, k in zip(columns, kinds, strict=True)):
            return [PREFIXES[table] + column[1:] for column in columns]
    problem = f"rows of `{table}` with {len(kinds)} fields before its CREATE TABLE, so the order of columns is unknown"
    _fail(path, place, problem, f"name them, columns: {{{table}: [...]}}, or give the whole dump")


def _bits(mask: NDArray[np.bool_]) -> Words:
    """A mask as bits, 64 to a word, the first one lowest; filled up with zeros."""
    packed = np.packbits(mask, bitorder="little")
    return np.concatenate([packed, np.zeros(-len(packed) % 8, dtype=np.uint8)]).view("<u8")


def _where(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The places where a mask is true, ascending; where they are many, by Polars in a third of NumPy's time."""
    parts = [np.empty(0, dtype=np.intp)]
    for start in range(0, len(mask), _PLACES):
        part = pl.Series(mask[start : start + _PLACES])
        parts.append(_numbers().head(len(part)).filter(part).to_numpy() + np.intp(start))
    return parts[1] if len(parts) == 2 else np.concatenate(parts)


def _ones(bits: Words) -> NDArray[np.intp]:
    """The numbers of the bits that are set, ascending."""
    return _where(np.unpackbits(bits.view(np.uint8), bitorder="little").view(bool))


@cache
def _numbers() -> pl.Series:
    return pl.Series(np.arange(_PLACES, dtype=np.uint32))


def _beside(bits: Words) -> Words:
    """For each bit, whether the one before it or the one behind it is set."""
    beside = (bits << np.uint64(1)) | (bits >> np.uint64(1))
    beside[1:] |= bits[:-1] >> _LAST_BIT
    beside[:-1] |= bits[1:] << _LAST_BIT
    return beside


def _odd_so_far(bits: Words) -> Words:
    """For each bit, whether the ones up to it, itself included, are odd in number."""
    odd = bits.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        odd ^= odd << np.uint64(shift)
    carried = np.logical_xor.accumulate(odd >> _LAST_BIT != 0)
    odd[1:] ^= np.where(carried[:-1], _ALL_BITS, np.uint64(0))
    return odd


def _escaping(slashes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Of the places of all backslashes those that escape what follows: every other one in a run of them."""
    number = np.arange(len(slashes))
    first = number.copy()
    first[1:][slashes[1:] == slashes[:-1] + 1] = 0
    escape: NDArray[np.bool_] = (number - np.maximum.accumulate(first)) & 1 == 0
    return slashes[escape]


class _Scan:
    """Where the fields of some rows end.

    Args:
        text: the values of a statement from the start of a row on, perhaps cut off, perhaps with text behind its end.

    Attributes:
        commas: those outside quotes, before ``end``.
        spaced: whether white space stands beside one of them, or beside one behind ``end``.
        end: where the semicolon outside quotes stands that ends the statement, if it is there.
        quoted: whether a quote is open at the end of the text.
    """

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.bytes = np.frombuffer(text, dtype=np.uint8)
        escaped = _escaping(_where(self.bytes == _BACKSLASH)) + 1
        self._escaped = escaped[: np.searchsorted(escaped, len(text))]
        self._inside = _odd_so_far(self._unescaped(_QUOTE))
        commas = self._unescaped(_COMMA) & ~self._inside
        self.commas = _ones(commas)
        self.spaced = bool(np.any(commas & _beside(_bits(self.bytes <= _SPACE))))
        self.quoted = bool(len(self._inside) and self._inside[-1] >> _LAST_BIT)
        self.end = self._first_outside(_END)
        if self.end is not None:
            self.commas = self.commas[: np.searchsorted(self.commas, self.end)]

    def _unescaped(self, byte: int) -> Words:
        """Where a byte stands that is not escaped."""
        mask = self.bytes == byte
        mask[self._escaped] = False
        return _bits(mask)

    def _first_outside(self, byte: int) -> int | None:
        found = self._unescaped(byte) & ~self._inside
        word = int(np.argmax(found != 0)) if len(found) else 0
        bits = int(found[word]) if len(found) else 0
        return word * 64 + (bits & -bits).bit_length() - 1 if bits else None

    def _outside(self, wanted: NDArray[np.bool_]) -> NDArray[np.intp]:
        """The places of the wanted bytes that stand outside quotes."""
        return _ones(_bits(wanted) & ~self._inside)

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
            text = field[0].endswith(b"'") or _HEX.fullmatch(field[0])
            kinds += "'" if text else "0" if field[0] == b"NULL" else "#"
            at = field.end() + 1
            if self.text[at - 1 : at] != b",":
                break
        return kinds

    def without_spaces(self) -> bytes:
        """The text without white space outside quotes."""
        spaces = self._outside((self.bytes == 32) | ((self.bytes >= 9) & (self.bytes <= 13)))
        return np.delete(self.bytes, spaces).tobytes()


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
        scan: _Scan | None = None,
        stop: int | None = None,
    ) -> None:
        self.names, self._path, self._place = names, path, place
        stop = len(text) if stop is None else stop
        if not self._taken(scan or _Scan(text), stop):
            bare = _Scan(text[:stop]).without_spaces()
            if not self._taken(_Scan(bare), len(bare)):
                self._malformed(f"rows that do not have the {len(names)} columns {' '.join(names)}"[:300])

    def _taken(self, scan: _Scan, stop: int) -> bool:
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

    def _malformed(self, problem: str) -> NoReturn:
        _fail(self._path, self._place, problem, _DOWNLOAD)

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
        for offset in sorted(range(len(wanted)), key=lambda offset: wanted[offset] == _QUOTE):  # quotes tell least
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
        quoted = (self._bytes[end - 1] == _QUOTE) & (self._bytes[start] == _QUOTE)
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
    escaping = _escaping(_where(texts == _BACKSLASH))
    escaping = escaping[texts[escaping + 1] != ord(_NO_UTF8)]
    if not len(escaping):
        return texts
    texts[escaping + 1] = _meant()[texts[escaping + 1]]
    kept = np.ones(len(texts), dtype=bool)
    kept[escaping] = False
    return texts[kept]


@cache
def _meant() -> NDArray[np.uint8]:
    """What each byte means behind a backslash."""
    table = np.arange(256, dtype=np.uint8)
    for letter, byte in _UNESCAPED.items():
        table[ord(letter)] = ord(byte)
    return table


def _typed_text(field: bytes) -> bytes:
    code = _HEX.fullmatch(field)
    if code:
        return bytes.fromhex(code[1].decode())
    text = _BINARY.sub(b"", field, count=1) if field.startswith(b"_") else field
    return b"" if text == b"NULL" else _ESCAPE.sub(_unescape, text[1:-1] if text[:1] == b"'" else text)


def _unescape(match: re.Match[bytes]) -> bytes:
    return b"'" if match[1] is None else _UNESCAPED.get(match[1], match[1])
