"""A file under inspection: its first megabyte, unpacked and as UTF-8, and the whole as readers are to see it.

Damage does not stop an inspection: what could be read is shown, and the damage is reported with it.
"""

import bz2
import codecs
import io
import json
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError
from switchrank.core.progress import silence
from switchrank.files.reading import View, open_bytes

HEAD = 1 << 20
"""Bytes that formats are recognised by."""
QUICK = 1 << 25
"""Bytes that are read with ``quick``; numbers are estimated from them."""
_PACKINGS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"PK\x03\x04": "zip"}
_UNPACKERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UTF_16 = ("utf-16-le", "utf-16-be")
_MARKED = re.compile(rb"<[?!/a-z]|\{\s*[\"}]|\[\s*[\[{\"\d]", re.IGNORECASE)
_ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8 with a byte order mark"} | dict.fromkeys(_UTF_16, "UTF-16")


def packing_of(path: Path) -> str:
    """What a file is packed with, by its first bytes; the empty string where it is not."""
    with path.open("rb") as stream:
        start = stream.read(6)
    return next((name for magic, name in _PACKINGS.items() if start.startswith(magic)), "")


class Source:
    """A file under inspection.

    Attributes:
        path: where it is.
        packing: ``gzip``, ``bzip2``, ``xz``, ``zip`` or nothing.
        encoding: ``utf-8``, ``utf-8-sig``, ``utf-16-le``, ``utf-16-be``, or ``binary``.
        head: the first megabyte, unpacked; text is UTF-8 without a byte order mark.
        damage: what is wrong with the packed stream or its lines, once that has been found.
        stopped: whether reading ended at the limit of ``quick``.

    Raises:
        UserError: the file cannot be read, or not one byte of it can be unpacked.
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
        return View(self.path, self._opened)

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

    def scaled(self, count: int) -> int:
        """``count``, or an estimate of it for the whole file where reading stopped early."""
        if not self.stopped or not self._read:
            return count
        share = self._read / max(self._read, self.path.stat().st_size * _ratio(self.path, self.packing))
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


def _ratio(path: Path, packing: str) -> float:
    """Unpacked bytes per packed byte, in the first megabyte of the packed file."""
    if packing not in _UNPACKERS:
        return 1.0
    with path.open("rb") as stream:
        packed = stream.read(HEAD)
    unpacker = _UNPACKERS[packing]()
    try:
        unpacked = len(unpacker.decompress(packed, 64 * HEAD))
    except (zlib.error, OSError, lzma.LZMAError, EOFError):
        return 1.0
    left = len(getattr(unpacker, "unconsumed_tail", b"")) + len(unpacker.unused_data)
    return unpacked / max(1, len(packed) - left)
