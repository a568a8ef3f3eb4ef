"""A file under inspection: its first megabyte, unpacked and as UTF-8, and the whole as readers are to see it.

Damage does not stop an inspection: what could be read is shown, and the damage is reported with it.
"""

import codecs
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError
from switchrank.core.progress import silence
from switchrank.files.reading import BROKEN, ZIP, View, open_bytes, packing_and_unpacker

HEAD = 1 << 20
"""Bytes that formats are recognised by."""
QUICK = 1 << 25
"""Bytes that are read with ``quick``; numbers are estimated from them."""
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UTF_16 = ("utf-16-le", "utf-16-be")
_MARKED = re.compile(rb"<[?!/a-z]|\{\s*[\"}]|\[\s*[\[{\"\d]", re.IGNORECASE)
MOST = 0.9
"""Share of the sampled lines that must be alike."""
_MOST_COLUMNS = 1000
_NUMBER = re.compile(rb"[-+]?(\d++(\.\d*+)?|\.\d++)([eE][-+]?\d++)?")
_NAME = re.compile(rb"[^\W\d][\w .:-]{0,40}")
Fields = Sequence[bytes]
_ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8 with a byte order mark"} | dict.fromkeys(_UTF_16, "UTF-16")


def packing_of(path: Path) -> str:
    """What a file is packed with, by its first bytes; the empty string where it is not."""
    with path.open("rb") as stream:
        start = stream.read(6)
    return "zip" if start.startswith(ZIP) else packing_and_unpacker(start)[0]


class Columns:
    """The first lines of a text file that are not blank, cut at tabs and at white space; ``name`` is that of the file.

    Attributes:
        every: the tab-separated fields of the lines.
        width: the number of fields of nearly all lines; 0 where they differ.
        rows: the fields of the lines that have as many as most.
    """

    def __init__(self, lines: list[bytes], name: str) -> None:
        self.lines, self.name = lines, name
        self.every = [line.split(b"\t") for line in self.lines]
        (width, count), *_ = Counter(map(len, self.every)).most_common(1) or [(0, 0)]
        self.width = width if count >= MOST * len(self.every) and width <= _MOST_COLUMNS else 0
        self.rows = [row for row in self.every if len(row) == width]

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
        """The share of rows that pass a test; :meth:`most`: whether nearly all do."""
        rows = self.rows if rows is None else rows
        return sum(map(test, rows)) / len(rows) if rows else 0.0

    def most(self, test: Callable[[Fields], bool]) -> bool:
        return self.share(test) >= MOST

    def most_words(self, count: int, test: Callable[[Fields], bool]) -> bool:
        """Whether nearly all lines have ``count`` fields separated by white space, which pass a test."""
        return self.share(lambda row: len(row) == count and test(row), self.words) >= MOST

    def mean(self, column: int, measure: Callable[[bytes], int]) -> float:
        return sum(measure(row[column]) for row in self.rows) / len(self.rows)

    @cached_property
    def of_ids(self) -> bool:
        """Whether no field holds white space."""
        return self.most(lambda row: not any(b" " in field.strip() for field in row))


class Source:
    """A file under inspection; UserError if it cannot be read, or not one byte of it can be unpacked.

    Attributes:
        packing: ``gzip``, ``bzip2``, ``xz``, ``zip`` or nothing.
        encoding: ``utf-8``, ``utf-8-sig``, ``utf-16-le``, ``utf-16-be``, or ``binary``.
        head: the first megabyte, unpacked; text is UTF-8 without a byte order mark.
        damage: what is wrong with the packed stream or its lines, once that has been found.
        stopped: whether reading ended at the limit of ``quick``.
    """

    def __init__(self, path: Path, *, quick: bool = False, what: str | None = None) -> None:
        self.path, self.quick, self._what = path, quick, what
        self.damage, self.stopped = "", False
        self._read = 0
        raw = self._start(HEAD)
        self.packing = packing_of(path)
        self.encoding = _encoding(raw)
        self.head = raw.removeprefix(codecs.BOM_UTF8) if self.is_text else raw
        if self.encoding in _UTF_16:
            self.head = raw[: len(raw) // 2 * 2].decode(self.encoding, "replace").removeprefix("\ufeff").encode()

    @property
    def is_text(self) -> bool:
        return self.encoding != "binary"

    @property
    def is_marked(self) -> bool:
        """Whether the file starts as XML or JSON does, and so is no text or table of another kind."""
        return bool(_MARKED.match(self.head[:4096].lstrip())) and not self.head.lstrip().startswith(b"<unk>")

    @property
    def form(self) -> str:
        """Packing and encoding in words."""
        return ", ".join(part for part in (self.packing, _ENCODINGS.get(self.encoding, "binary")) if part)

    def _start(self, most: int) -> bytes:
        """The first bytes, up to the first damage, which is noted."""
        start = bytearray()
        try:
            with open_bytes(self.path, what=self._what if most > HEAD else None) as stream:
                while piece := stream.read1(most - len(start)):
                    start += piece
        except UserError as error:
            if not start:
                raise
            self.damage = error.problem
        return bytes(start)

    @property
    def view(self) -> View:
        """The file as readers are to see it: with ``quick`` only its beginning, up to the end of a line."""
        view = View(self.path)
        view.opens = self._opened
        return view

    @contextmanager
    def _opened(self) -> Iterator[io.BufferedReader]:
        self._read, self.stopped = 0, False
        if not self.quick:
            with ExitStack() as opened:
                with silence(False):
                    stream = opened.enter_context(open_bytes(self.path, what=self._what))
                yield stream
            return
        with silence(False):
            start = self._start(QUICK)
        self._read, self.stopped = len(start), len(start) == QUICK
        whole = start.rfind(b"\n") + 1 if self.stopped and self.is_text else len(start)
        yield io.BufferedReader(io.BytesIO(start[:whole]))  # type: ignore[arg-type]

    def head_lines(self, most: int = 2000) -> list[bytes]:
        """Whole lines of the head that are not blank."""
        lines = self.head.split(b"\n")
        if len(self.head) >= HEAD // 2 and len(lines) > 1:
            lines.pop()
        return [line.removesuffix(b"\r") for line in lines if line.strip()][:most]

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """The JSON objects of the first lines, where nearly all of them hold one."""
        lines = self.head_lines(200) if self.is_text else []
        found = [record for line in lines if isinstance(record := _value(line), dict)]
        return found if len(found) >= 0.8 * (len(lines) - lines.count(b"[") - lines.count(b"]")) else []

    @cached_property
    def columns(self) -> Columns:
        """The columns of the first lines: the facts that delimited text is recognised by."""
        lines = [] if self.is_marked or not self.is_text else self.head_lines()
        return Columns(lines, self.path.name.lower())

    def scaled(self, count: int) -> int:
        """``count``, or an estimate of it for the whole file where reading stopped early."""
        if not self.stopped or not self._read:
            return count
        share = self._read / max(self._read, self.path.stat().st_size * _ratio(self.path))
        return round(count / share)


def _value(line: bytes) -> Any:
    """The JSON value of a line that starts as an object does; a comma after it does not matter."""
    line = line.strip().removesuffix(b",")
    try:
        return json.loads(line) if line.startswith(b"{") else None
    except (ValueError, RecursionError):
        return None


def _encoding(raw: bytes) -> str:
    for mark, name in _BOMS.items():
        if raw.startswith(mark):
            return name
    start = raw[:4096]
    if b"\0" not in start:
        return "utf-8"
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if odd > 0.4 * len(start) / 2 and even < 0.02 * len(start) / 2:
        return "utf-16-le" if start[:1].isascii() and start[:1].strip() else "binary"
    return "utf-16-be" if even > 0.4 * len(start) / 2 and odd < 0.02 * len(start) / 2 else "binary"


def _ratio(path: Path) -> float:
    """Unpacked bytes per packed byte, in the first megabyte of the packed file."""
    with path.open("rb") as stream:
        packed = stream.read(HEAD)
    new = packing_and_unpacker(packed)[1]
    if not new:
        return 1.0
    unpacker = new()
    try:
        unpacked = len(unpacker.decompress(packed, 64 * HEAD))
    except BROKEN:
        return 1.0
    left = len(getattr(unpacker, "unconsumed_tail", b"")) + len(unpacker.unused_data)
    return unpacked / max(1, len(packed) - left)


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
