"""One file to look at: its first megabyte, and its bytes again from the start, unpacked and as UTF-8.

Damage does not stop the look: what could be read is shown, and the damage is kept to be told.
"""

from __future__ import annotations

import bz2
import codecs
import lzma
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError
from switchrank.files.reading import open_bytes

HEAD = 1 << 20
"""Bytes that formats are told by."""
QUICK = 1 << 25
"""Bytes that are counted with ``quick``; the rest is estimated."""
LONGEST_LINE = 1 << 26
_CHUNK = 1 << 18
_PACKINGS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"PK\x03\x04": "zip"}
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_MARKED = re.compile(rb"<[?!/a-z]|\{\s*[\"}]|\[\s*[\[{\"\d]", re.IGNORECASE)
_ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte order mark",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}


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
        damage: what is wrong with the packed stream, or with its lines, once that has been met.
        stopped: whether counting ended at the limit of ``quick``.

    Raises:
        UserError: the file cannot be read, or not one byte of it can be unpacked.
    """

    def __init__(self, path: Path, *, quick: bool = False, what: str | None = None) -> None:
        self.path, self.quick, self._what = path, quick, what
        self.damage, self.stopped = "", False
        self._read = 0
        raw = self._raw_head()
        self.packing = packing_of(path)
        self.encoding = _encoding(raw)
        self.head = self._decoded(raw)

    @property
    def is_text(self) -> bool:
        """Whether the file is text of an encoding that is known."""
        return self.encoding != "binary"

    @property
    def is_marked(self) -> bool:
        """Whether the file starts as XML or JSON do: then it is no text or table of another kind."""
        return bool(_MARKED.match(self.head[:4096].lstrip())) and not self.head.lstrip().startswith(b"<unk>")

    @property
    def form(self) -> str:
        """Packing and encoding in words."""
        return ", ".join(part for part in (self.packing, _ENCODINGS.get(self.encoding, "binary")) if part)

    def _raw_head(self) -> bytes:
        head = b""
        try:
            with open_bytes(self.path) as stream:
                while len(head) < HEAD and (piece := stream.read1(HEAD - len(head))):
                    head += piece
        except UserError as error:
            if not head:
                raise
            self.damage = error.problem
        return head

    def _decoded(self, raw: bytes) -> bytes:
        if self.encoding == "binary":
            return raw
        raw = raw.removeprefix(codecs.BOM_UTF8)
        if self.encoding.startswith("utf-16"):
            even = raw[: len(raw) - len(raw) % 2]
            return even.decode(self.encoding, "replace").removeprefix("\ufeff").encode()
        return raw

    def chunks(self, *, what: str | None = None) -> Iterator[bytes]:
        """The bytes from the start; text as UTF-8. Ends at damage, or at the limit of ``quick``."""
        decode = codecs.getincrementaldecoder(self.encoding)("replace") if self.encoding.startswith("utf-16") else None
        self._read, self.stopped, first = 0, False, True
        try:
            with open_bytes(self.path, what=what or self._what) as stream:
                while raw := stream.read1(_CHUNK):
                    self._read += len(raw)
                    piece = decode.decode(raw).encode() if decode else raw
                    yield piece.removeprefix(codecs.BOM_UTF8) if first and self.is_text else piece
                    first = False
                    if self.quick and self._read >= QUICK:
                        self.stopped = True
                        return
        except UserError as error:
            self.damage = error.problem

    def lines(self) -> Iterator[tuple[int, bytes]]:
        r"""``(number from 1, line)`` without its ``\n`` or ``\r\n``; a line without end is damage."""
        number, waiting, waits = 0, [], 0
        for chunk in self.chunks():
            first, *more = chunk.split(b"\n")
            waiting.append(first)
            waits += len(first)
            if waits > LONGEST_LINE:
                self.damage = f"line {number + 1} is longer than {LONGEST_LINE >> 20} MB"
                return
            for part in more:
                number += 1
                yield number, b"".join(waiting).removesuffix(b"\r")
                waiting, waits = [part], len(part)
        last = b"".join(waiting)
        if last and not self.stopped:
            yield number + 1, last

    def head_lines(self, most: int = 2000) -> list[bytes]:
        """Whole lines of the head that are not blank."""
        lines = self.head.split(b"\n")
        if len(self.head) >= HEAD // 2 and len(lines) > 1:
            lines.pop()
        return [line.removesuffix(b"\r") for line in lines if line.strip()][:most]

    def whole(self, most: int) -> bytes | None:
        """All of the file, or nothing where that is more than ``most`` bytes."""
        parts, size = [], 0
        for chunk in self.chunks():
            size += len(chunk)
            if size > most:
                return None
            parts.append(chunk)
        return b"".join(parts)

    def scaled(self, count: int) -> int:
        """``count``, or what it would be for the whole file where counting stopped early."""
        if not self.stopped or not self._read:
            return count
        share = self._read / max(self._read, self.path.stat().st_size * _ratio(self.path, self.packing))
        return round(count / share)


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
    """Unpacked bytes for each packed one, by the first megabyte of the packed file."""
    unpackers: dict[str, Any] = {
        "gzip": lambda: zlib.decompressobj(wbits=31),
        "bzip2": bz2.BZ2Decompressor,
        "xz": lzma.LZMADecompressor,
    }
    if packing not in unpackers:
        return 1.0
    with path.open("rb") as stream:
        packed = stream.read(HEAD)
    unpacker = unpackers[packing]()
    try:
        unpacked = len(unpacker.decompress(packed, 64 * HEAD))
    except (zlib.error, OSError, lzma.LZMAError, EOFError):
        return 1.0
    left = len(getattr(unpacker, "unconsumed_tail", b"")) + len(unpacker.unused_data)
    return unpacked / max(1, len(packed) - left)
