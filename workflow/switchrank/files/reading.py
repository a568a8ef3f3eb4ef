"""Reading input files of others: plain, gzip, bzip2, xz or zip, as bytes, lines or whole, every defect in one line.

What a file is packed with is told by its first bytes, whatever its name says. Packed streams are unpacked piece by
piece and strictly: several streams in one file are one text (as ``pigz``, ``pbzip2`` and Wikipedia's multistream dumps
write them), and bytes behind the last stream that are no stream are an error, never passed over.
"""

from __future__ import annotations

import bz2
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

from isal import igzip_lib, isal_zlib

from switchrank.core.errors import UserError
from switchrank.core.progress import progress

LONGEST_LINE = 1 << 28
"""Bytes of the longest line read (256 MB); a longer one is a file of another kind."""
_BOMB_RATIO = 500
_BOMB_BYTES = 1 << 28
"""More than this unpacked, and more than ``_BOMB_RATIO`` times the packed size, is no text."""
_CHUNK = 1 << 18
_BOM = "\ufeff"
_WEB_PAGE = re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_AGAIN = "fetch or make the file again"


def _gzip() -> Any:
    return isal_zlib.decompressobj(wbits=31)


_PACKED: dict[bytes, tuple[str, Callable[[], Any]]] = {
    b"\x1f\x8b": ("gzip", _gzip),
    b"BZh": ("bzip2", bz2.BZ2Decompressor),
    b"\xfd7zXZ\x00": ("xz", lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ)),
}
_BROKEN = (EOFError, cast("type[Exception]", igzip_lib.IsalError), lzma.LZMAError, OSError, ValueError)
_ZIP = b"PK\x03\x04"


class View(str):
    """The path of a file of which a reader is to see something else than the whole, such as its beginning."""

    opens: Callable[[], AbstractContextManager[io.BufferedReader]]

    def __new__(cls, path: str | Path, opens: Callable[[], AbstractContextManager[io.BufferedReader]]) -> View:
        """A view of ``path`` whose unpacked bytes are what ``opens`` gives."""
        view = super().__new__(cls, path)
        view.opens = opens
        return view


@contextmanager
def open_bytes(path: str | Path, *, what: str | None = None) -> Iterator[io.BufferedReader]:
    """Open a file for reading its unpacked bytes; of a zip archive, the one file in it.

    Args:
        path: the file, or a view of it.
        what: name of a progress bar over the packed bytes; none is shown without it.

    Raises:
        UserError: the file is missing or unreadable, is a web page, is a zip archive of several files or with a
            password; and, while it is read: its packed stream is truncated or corrupt, or unpacks without measure.
    """
    with ExitStack() as opened:
        if isinstance(path, View):
            yield opened.enter_context(path.opens())
            return
        buffered = _buffered(opened.enter_context(_Plain(path, what)))
        if buffered.peek(4)[:4] == _ZIP:
            buffered = _buffered(opened.enter_context(_Zipped(path)))
        else:
            for magic, (name, unpacker) in _PACKED.items():
                if buffered.peek(len(magic)).startswith(magic):
                    buffered = _buffered(_Unpacked(path, name, unpacker, buffered))
                    break
        if _WEB_PAGE.match(buffered.peek(512)[:512]):
            raise UserError(path, "", "holds a web page (HTML), not data", "open the address in a browser, then fetch")
        yield buffered


def _buffered(raw: io.RawIOBase) -> io.BufferedReader:
    return io.BufferedReader(raw, _CHUNK)


class _Plain(io.RawIOBase):
    """The bytes of a file as they are; counts them on a progress bar."""

    def __init__(self, path: str | Path, what: str | None) -> None:
        self._path = path
        try:
            self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115
            size = Path(path).stat().st_size
        except FileNotFoundError as error:
            raise UserError(path, "", "no such file", "correct the path") from error
        except OSError as error:
            raise _unreadable(path, error) from error
        self._bar = progress(total=size, what=what, unit="B")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            count = self._file.readinto(buffer) or 0
        except OSError as error:
            raise _unreadable(self._path, error) from error
        self._bar.update(count)
        return count

    def close(self) -> None:
        if not self.closed:
            self._bar.close()
            self._file.close()
        super().close()


def _unreadable(path: str | Path, error: OSError) -> UserError:
    return UserError(path, "", f"cannot be read ({error.strerror})", "correct the path or its rights")


class _Unpacked(io.RawIOBase):
    """The bytes of one or more packed streams laid end to end."""

    def __init__(self, path: str | Path, kind: str, unpacker: Callable[[], Any], packed: io.BufferedReader) -> None:
        self._path, self._kind, self._new, self._packed = path, kind, unpacker, packed
        self._stream = unpacker()
        self._waiting, self._taken = b"", 0
        self._guard = _Guard(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._next(len(buffer))
        except _BROKEN as error:
            raise _damaged(self._path, self._kind, error) from error
        self._guard.count(len(piece), self._taken)
        buffer[: len(piece)] = piece
        return len(piece)

    def _next(self, size: int) -> bytes:
        """Some bytes, at most ``size``; none only at the end of the last stream."""
        while True:
            if self._stream.eof and not self._begin_next():
                return b""
            needs = getattr(self._stream, "needs_input", True)
            if needs and not self._waiting:
                self._waiting = self._read()
                if not self._waiting:
                    raise EOFError("the file ends before its end marker")
            given, self._waiting = (self._waiting, b"") if needs else (b"", self._waiting)
            piece = self._stream.decompress(given, size)
            self._waiting = getattr(self._stream, "unconsumed_tail", b"") or self._waiting
            if piece:
                return cast(bytes, piece)

    def _read(self) -> bytes:
        packed = self._packed.read1(_CHUNK)
        self._taken += len(packed)
        return packed

    def _begin_next(self) -> bool:
        """Go on to the next stream; zero bytes may stand between streams and after the last (tar, tape blocks)."""
        rest = self._stream.unused_data + self._waiting
        while not rest.lstrip(b"\0"):
            rest = self._read()
            if not rest:
                return False
        self._waiting = rest.lstrip(b"\0")
        self._stream = self._new()
        return True


class _Zipped(io.RawIOBase):
    """The bytes of the only file of a zip archive; nothing is ever written, so names in it can do no harm."""

    def __init__(self, path: str | Path) -> None:
        self._path, self._size = path, Path(path).stat().st_size
        self._guard = _Guard(path)
        try:
            self._archive = zipfile.ZipFile(path)
            names = [entry.filename for entry in self._archive.infolist() if not entry.filename.endswith("/")]
            if len(names) != 1:
                problem = f"a zip archive of {len(names)} files"
                raise UserError(path, "", problem, "unpack it, and give the file that is meant")
            self._file = self._archive.open(names[0])
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, UnicodeError) as error:
            raise _damaged(path, "zip", error) from error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._file.read(len(buffer))
        except (zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, OSError, ValueError) as error:
            raise _damaged(self._path, "zip", error) from error
        self._guard.count(len(piece), self._size)
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        if not self.closed and hasattr(self, "_archive"):
            self._archive.close()
        super().close()


def _damaged(path: str | Path, kind: str, error: Exception) -> UserError:
    reason = str(error) or type(error).__name__
    return UserError(path, "", f"truncated or corrupt {kind} ({' '.join(reason.split())})", _AGAIN)


class _Guard:
    """Stops a file that unpacks to absurdly more than itself, before it fills memory or disk."""

    def __init__(self, path: str | Path) -> None:
        self._path, self._unpacked = path, 0

    def count(self, size: int, packed: int) -> None:
        self._unpacked += size
        if self._unpacked > max(_BOMB_BYTES, _BOMB_RATIO * packed):
            problem = f"unpacks to more than {_BOMB_RATIO} times its size"
            raise UserError(self._path, "", problem, "if it is right, unpack it by hand")


def read_lines(path: str | Path, *, what: str | None = None) -> Iterator[tuple[int, str]]:
    r"""Yield ``(number from 1, line)``; only ``\n`` ends a line, and one ``\r`` before it goes with it.

    Other line separators of Unicode (U+2028, U+0085, ...) stay in the text. A byte order mark at the start is dropped.

    Args:
        path, what: as :func:`open_bytes` takes them.

    Raises:
        UserError: as :func:`open_bytes`, or a line is not UTF-8 or longer than ``LONGEST_LINE``.
    """
    for number, raw in byte_lines(path, what=what):
        line = decode(raw, path, f"line {number}")
        line = line.removesuffix("\n").removesuffix("\r")
        yield number, line.removeprefix(_BOM) if number == 1 else line


def byte_lines(path: str | Path, *, what: str | None = None) -> Iterator[tuple[int, bytes]]:
    r"""Yield ``(number from 1, line with its "\n")``, not decoded.

    Raises:
        UserError: as :func:`open_bytes`, or a line is longer than ``LONGEST_LINE``.
    """
    with open_bytes(path, what=what) as stream:
        for number, raw in enumerate(iter(lambda: stream.readline(LONGEST_LINE), b""), 1):
            if len(raw) == LONGEST_LINE:
                raise UserError(path, f"line {number}", f"longer than {LONGEST_LINE:,} bytes", "give a file of lines")
            yield number, raw


def read_text(path: str | Path) -> str:
    """The whole text of a file, without a byte order mark.

    Raises:
        UserError: as :func:`open_bytes`, or the file is not UTF-8.
    """
    with open_bytes(path) as stream:
        raw = stream.read()
    return decode(raw, path, "").removeprefix(_BOM)


def decode(raw: bytes, path: str | Path, place: str) -> str:
    """Decode UTF-8 strictly.

    Raises:
        UserError: naming the first byte that does not fit.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        where = place or f"byte {error.start}"
        problem = f"not UTF-8 (byte 0x{raw[error.start]:02x})"
        raise UserError(path, where, problem, "convert the file to UTF-8") from error
