"""MediaWiki SQL dumps: chosen columns of chosen rows, streamed straight from the packed file.

A dump is what ``mysqldump`` writes: ``CREATE TABLE`` names the columns in their order, which differs between years;
then come ``INSERT INTO ... VALUES (...),(...);`` statements, most often one line of about a megabyte each. Rows are
split by :mod:`~switchrank.lexicon.dump_rows` while a thread unpacks the next ones. A dump without ``CREATE TABLE`` has
the columns that are given, or those of the layout in :data:`LAYOUTS` with as many fields, quoted in the same places.
"""

import io
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from switchrank.core.allocator import keep_freed_memory
from switchrank.core.errors import UserError
from switchrank.files.reading import open_bytes, read_ahead
from switchrank.lexicon.dump_rows import DOWNLOAD, Block, Scan

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
_DEEPEST = 8
_NAME = rb"(?:`?\w+`?\.)?`?(\w+)`?"
_CREATE = re.compile(rb"\s*CREATE TABLE (?:IF NOT EXISTS )?" + _NAME + rb"\s*\(", re.IGNORECASE)
_WRITE = re.compile(rb"\s*(?:INSERT|REPLACE) (?:IGNORE )?INTO\b", re.IGNORECASE)
_INSERT = re.compile(_WRITE.pattern + rb"\s*" + _NAME + rb"\s*(?:\(([^()']*)\)\s*)?VALUES\s*", re.IGNORECASE)
_KEY = re.compile(rb"(?:PRIMARY|UNIQUE|FULLTEXT|SPATIAL|KEY|INDEX|CONSTRAINT|FOREIGN|CHECK)\b", re.IGNORECASE)
_COLUMN = re.compile(rb"`([^`]+)`|(\w+)")
_TEXT = re.compile(rb"'(?:[^'\\]|\\.|'')*+'", re.DOTALL)
_NESTED = re.compile(rb"\([^()]*\)")
_FITS = {"#": "#", "'": "'", "?": "'0"}


def read_blocks(
    path: str | Path, table: str, columns: Sequence[str], *, names: Sequence[str] | None = None, what: str | None = None
) -> Iterator[Block]:
    """Yield the rows of ``table`` block by block, in the order of the dump.

    Args:
        path: a dump, plain or packed (told apart by its first bytes).
        table: the table's name, such as ``page``.
        columns: names of columns the table must have; without any, columns of an unknown layout are numbered.
        names: all columns in their order, for a dump without ``CREATE TABLE``.
        what: name of a progress bar over the file.

    Raises:
        UserError: the file is missing, damaged or ends early, has no such table or column, or has rows that fit
            neither its columns nor, before any ``CREATE TABLE``, a known layout.
    """
    known, seen = list(names or []), False
    keep_freed_memory()
    with open_bytes(path, what=what) as stream, closing(read_ahead(_pieces(stream))) as pieces:
        dump = _Dump(path, pieces)
        for head in dump.statements():
            created, insert = _CREATE.match(head), _INSERT.match(head)
            if created and created[1].decode() == table:
                known, seen = _columns(head[created.end() :]), True
            elif insert and insert[1].decode() == table:
                listed = insert[2].split(b",") if insert[2] else []
                order = [name.strip(b" `").decode(errors="replace") for name in listed] or known
                for block in dump.rows(head[insert.end() :], table, order, columns):
                    missing = [name for name in columns if name not in block.names]
                    if missing:
                        problem = f"no column `{missing[0]}` (found: {' '.join(block.names)})"
                        raise UserError(path, f"CREATE TABLE `{table}`", problem, "give another dump")
                    yield block
                seen = True
    if not seen:
        problem = f"no CREATE TABLE and no rows of `{table}` in it"
        raise UserError(path, "", problem, f"give the dump of the table `{table}`")


def _pieces(stream: io.BufferedReader) -> Generator[bytes]:
    """The text in pieces that end with a line, unless that is long; joined in this thread, which has time."""
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


class _Dump:
    """The statements of a dump, and the rows of those asked for, in one pass."""

    def __init__(self, path: str | Path, pieces: Iterator[bytes]) -> None:
        self._path, self._pieces = path, pieces
        self._buffer, self._at, self._piece = b"", 0, _CHUNK
        self._number, self._fresh = 0, True

    def statements(self) -> Iterator[bytes]:
        """Yield each CREATE TABLE whole, and each INSERT to the end of the line with its VALUES."""
        while True:
            fresh, line = self._fresh, self._line()
            if not line:
                return
            if fresh and _CREATE.match(line):
                yield self._until(line, _ends)
            elif fresh and _WRITE.match(line):
                yield self._until(line, lambda text: _ends(text) or b"VALUES" in text[:_LONGEST_HEAD].upper())

    def _until(self, line: bytes, last: Callable[[bytes], bool]) -> bytes:
        place, parts, size = f"line {self._number}", [line], len(line)
        while not last(line):
            line = self._line()
            size += len(line)
            if not line or size > _LONGEST_HEAD:
                raise UserError(self._path, place, "the file ends inside this statement", DOWNLOAD)
            parts.append(line)
        return b"".join(parts)

    def rows(self, text: bytes, table: str, names: list[str], wanted: Sequence[str]) -> Iterator[Block]:
        """Yield the rows of the statement whose values begin with ``text``, and go on after its semicolon."""
        place, size = f"line {self._number}", 0 if _ends(text) or self._piece < _CHUNK else _CHUNK
        while True:
            more = self._more(size)
            text += more
            scan = Scan(text)
            if not names:
                kinds = scan.first_row()
                names = [str(number) for number in range(1, len(kinds) + 1)]
                if wanted or table in LAYOUTS:
                    names = _layout(self._path, place, table, kinds)
            stop = scan.stop(len(names))
            if stop:
                yield Block(scan, stop, names, self._path, place)
            if scan.end is not None:
                self._push_back(text[scan.end + 1 :], scan.end)
                return
            if size and not more:
                raise UserError(self._path, place, "the file ends inside this statement", DOWNLOAD)
            text = text[stop + 1 :] if stop else text
            self._piece = min(_CHUNK, 2 * self._piece)
            size = max(self._piece, len(text))
            if len(text) > _LONGEST_ROW:
                raise UserError(self._path, place, f"a row of more than {_LONGEST_ROW:,} bytes", DOWNLOAD)

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
        """Hand out ``rest`` again; where more statements are on its line, in pieces of their size."""
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
    raise UserError(path, place, problem, f"name them, columns: {{{table}: [...]}}, or give the whole dump")
