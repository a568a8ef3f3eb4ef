"""Reading a user's files: plain, gzip, bzip2, xz or zip, as bytes, lines or whole, every defect in one line.

How a file is packed is told by its first bytes, whatever its name says. Packed streams are unpacked piece by piece and
strictly: several streams in one file are one text (as ``pigz``, ``pbzip2`` and Wikipedia's multistream dumps write
them), and bytes behind the last stream that are not a stream are an error, never passed over.
"""

import bz2
import io
import lzma
import re
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

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

_PACKED: dict[bytes, tuple[str, Callable[[], Any]]] = {
    b"\x1f\x8b": ("gzip", lambda: isal_zlib.decompressobj(wbits=31)),
    b"BZh": ("bzip2", bz2.BZ2Decompressor),
    b"\xfd7zXZ\x00": ("xz", lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ)),
}
ZIP = b"PK\x03\x04"
BROKEN: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    cast("type[Exception]", igzip_lib.IsalError),
    lzma.LZMAError,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)
"""What libraries raise for packed files that are damaged or have a password."""

T = TypeVar("T")
Read = Callable[[int], bytes]
"""Gives the next bytes of a stream, at most so many; none only at its end."""


class View(str):
    """The path of a file of which readers see, as its unpacked bytes, what ``opens`` gives, such as its beginning."""

    opens: Callable[[], AbstractContextManager[io.BufferedReader]]


def packing_and_unpacker(start: bytes) -> tuple[str, Callable[[], Any] | None]:
    """What a stream is packed with, by its first six bytes, and what makes an unpacker; neither where it is not."""
    return next((way for magic, way in _PACKED.items() if start.startswith(magic)), ("", None))


@contextmanager
def open_bytes(path: str | Path, *, what: str | None = None) -> Iterator[io.BufferedReader]:
    """Open a file, or the view of one, for reading its unpacked bytes; of a zip archive, the one file in it.

    ``what`` names a progress bar over the packed bytes. UserError: the file is missing or unreadable, is a web page, is
    a zip archive of several files or with a password; and, while it is read: its packed stream is damaged, or unpacks
    to absurdly more than itself.
    """
    with ExitStack() as opened:
        if isinstance(path, View):
            yield opened.enter_context(path.opens())
            return
        with disk_errors(path):
            file = opened.enter_context(Path(path).open("rb", buffering=0))
            size = Path(path).stat().st_size
        bar = opened.enter_context(progress(total=size, what=what, unit="B"))

        def read_plain(most: int) -> bytes:
            with disk_errors(path):
                piece = file.read(most) or b""
            bar.update(len(piece))
            return piece

        stream = _buffered(read_plain)
        kind, unpacker = packing_and_unpacker(stream.peek(6))
        if stream.peek(4).startswith(ZIP):
            stream = _buffered(_strict(path, "zip", _only_member(path, opened), lambda: size))
        elif unpacker:
            packed = _Packed(stream, unpacker)
            stream = _buffered(_strict(path, kind, packed.read, lambda: packed.taken))
        if _WEB_PAGE.match(stream.peek(512)[:512]):
            raise UserError(path, "", "holds a web page (HTML), not data", "open the address in a browser, then fetch")
        yield stream


@contextmanager
def disk_errors(path: str | Path) -> Iterator[None]:
    """An error of the disk in reading ``path`` becomes one of the user's."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(path, "", "no such file", "correct the path") from error
    except OSError as error:
        raise UserError(path, "", f"cannot be read ({error.strerror})", "correct the path or its rights") from error


def _buffered(read: Read) -> io.BufferedReader:
    return io.BufferedReader(_Raw(read), _CHUNK)


class _Raw(io.RawIOBase):
    """A function that reads, as a file."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def _strict(path: str | Path, kind: str, read: Read, taken: Callable[[], int]) -> Read:
    """``read``, whose errors become one line; it stops a file that unpacks to absurdly more than the bytes taken."""
    unpacked = 0

    def checked(most: int) -> bytes:
        nonlocal unpacked
        try:
            piece = read(most)
        except BROKEN as error:
            raise _damaged(path, kind, error) from error
        unpacked += len(piece)
        if unpacked > max(_BOMB_BYTES, _BOMB_RATIO * taken()):
            problem = f"unpacks to more than {_BOMB_RATIO} times its size"
            raise UserError(path, "", problem, "if it is right, unpack it by hand")
        return piece

    return checked


def _damaged(path: str | Path, kind: str, error: Exception) -> UserError:
    reason = str(error) or type(error).__name__
    problem = f"truncated or corrupt {kind} ({' '.join(reason.split())})"
    return UserError(path, "", problem, "fetch or make the file again")


def is_zip(path: str | Path) -> bool:
    """Whether a file begins as zip archives do; UserError if it is missing or unreadable."""
    with disk_errors(path), Path(path).open("rb") as stream:
        return stream.read(4) == ZIP


def zip_members(path: str | Path) -> list[str]:
    """The names of the files in a zip archive; UserError if it is damaged or none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [entry.filename for entry in archive.infolist() if not entry.filename.endswith("/")]
    except BROKEN as error:
        raise _damaged(path, "zip", error) from error


def zip_member(path: str | Path, name: str) -> View:
    """One file of a zip archive, as a path that readers open; nothing is written, so names in it can do no harm."""

    @contextmanager
    def opens() -> Iterator[io.BufferedReader]:
        with ExitStack() as opened:
            read = _member(path, name, opened)
            yield _buffered(_strict(path, "zip", read, lambda: Path(path).stat().st_size))

    view = View(f"{path}!{name}")
    view.opens = opens
    return view


def _only_member(path: str | Path, opened: ExitStack) -> Read:
    names = zip_members(path)
    if len(names) != 1:
        raise UserError(path, "", f"a zip archive of {len(names)} files", "unpack it, and give the file that is meant")
    return _member(path, names[0], opened)


def _member(path: str | Path, name: str, opened: ExitStack) -> Read:
    try:
        return opened.enter_context(opened.enter_context(zipfile.ZipFile(path)).open(name)).read
    except BROKEN as error:
        raise _damaged(path, "zip", error) from error


class _Packed:
    """One or more packed streams laid end to end; ``taken`` counts the packed bytes."""

    def __init__(self, packed: io.BufferedReader, unpacker: Callable[[], Any]) -> None:
        self._packed, self._new, self._stream = packed, unpacker, unpacker()
        self._waiting, self.taken = b"", 0

    def read(self, most: int) -> bytes:
        while True:
            if self._stream.eof and not self._begin_next():
                return b""
            needs = getattr(self._stream, "needs_input", True)
            if needs and not self._waiting:
                self._waiting = self._take()
                if not self._waiting:
                    raise EOFError("the file ends before its end marker")
            given, self._waiting = (self._waiting, b"") if needs else (b"", self._waiting)
            piece = self._stream.decompress(given, most)
            self._waiting = getattr(self._stream, "unconsumed_tail", b"") or self._waiting
            if piece:
                return cast(bytes, piece)

    def _take(self) -> bytes:
        packed = self._packed.read1(_CHUNK)
        self.taken += len(packed)
        return packed

    def _begin_next(self) -> bool:
        """Go on to the next stream; zero bytes may stand between streams and after the last (tar, tape blocks)."""
        rest = self._stream.unused_data + self._waiting
        while not rest.lstrip(b"\0"):
            rest = self._take()
            if not rest:
                return False
        self._waiting = rest.lstrip(b"\0")
        self._stream = self._new()
        return True


def read_lines(path: str | Path, *, what: str | None = None) -> Iterator[tuple[int, str]]:
    r"""Yield ``(number from 1, line)``; only ``\n`` ends a line, and one ``\r`` before it goes with it.

    Other line separators of Unicode (U+2028, U+0085, ...) stay in the text. A byte order mark at the start is dropped.
    UserError as of :func:`open_bytes`, or a line is not UTF-8 or longer than ``LONGEST_LINE``.
    """
    for number, raw in byte_lines(path, what=what):
        line = decode(raw, path, f"line {number}").removesuffix("\n").removesuffix("\r")
        yield number, line.removeprefix(_BOM) if number == 1 else line


def byte_lines(path: str | Path, *, what: str | None = None) -> Iterator[tuple[int, bytes]]:
    r"""Yield ``(number from 1, line with its "\n")``, not decoded; UserError as of :func:`read_lines`."""
    with open_bytes(path, what=what) as stream:
        for number, raw in enumerate(iter(lambda: stream.readline(LONGEST_LINE), b""), 1):
            if len(raw) == LONGEST_LINE:
                raise UserError(path, f"line {number}", f"longer than {LONGEST_LINE:,} bytes", "give a file of lines")
            yield number, raw


def read_text(path: str | Path) -> str:
    """The whole text of a file, without a byte order mark; UserError as of :func:`open_bytes` or if not UTF-8."""
    with open_bytes(path) as stream:
        raw = stream.read()
    return decode(raw, path, "").removeprefix(_BOM)


def decode(raw: bytes, path: str | Path, place: str) -> str:
    """Decode UTF-8 strictly; UserError with the first byte that does not fit."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        where = place or f"byte {error.start}"
        problem = f"not UTF-8 (byte 0x{raw[error.start]:02x})"
        raise UserError(path, where, problem, "convert the file to UTF-8") from error


def read_ahead(items: Generator[T], depth: int = 2) -> Generator[T]:
    """Yield the items in their order, while a thread makes the next ones, at most ``depth`` ahead.

    It pays where making an item lets other threads run, as unpacking and array operations on bytes do. What ``items``
    raises is raised here, in its turn. Closing this generator closes ``items``, which no thread runs any more.
    """
    end = object()
    with closing(items):
        pool = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
        try:
            waiting = deque(pool.submit(next, items, end) for _ in range(depth))
            while (item := waiting.popleft().result()) is not end:
                waiting.append(pool.submit(next, items, end))
                yield item  # type: ignore[misc]
        finally:
            pool.shutdown(cancel_futures=True)
