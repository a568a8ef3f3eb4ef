"""Reading input files of others: plain, gzip or xz, as lines or whole, every defect named with its file and line."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from switchrank.errors import UserError

_PACKED: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"\xfd7": lzma.open}
_BOM = "\ufeff"


@contextmanager
def open_bytes(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file for reading bytes; gzip and xz are told by their first two bytes, whatever the name says.

    Raises:
        UserError: the file is missing or unreadable, or its compressed stream is truncated or corrupt.
    """
    try:
        with Path(path).open("rb") as plain:
            unpack = _PACKED.get(plain.peek(2)[:2])
            if unpack is None:
                yield plain
                return
            with unpack(plain, "rb") as stream:
                yield cast(IO[bytes], stream)
    except FileNotFoundError as error:
        raise UserError(path, "", "no such file", "correct the path") from error
    except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError) as error:
        kind = "xz" if str(path).endswith("xz") else "gzip"
        raise UserError(path, "", f"truncated or corrupt {kind} ({error})", "fetch or make the file again") from error
    except OSError as error:
        raise UserError(path, "", f"cannot be read ({error.strerror})", "correct the path or its rights") from error


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    r"""Yield ``(number from 1, line)``; only ``\n`` ends a line, and one ``\r`` before it goes with it.

    Other line separators of Unicode (U+2028, U+0085, ...) stay in the text. A byte order mark at the start is dropped.

    Raises:
        UserError: as :func:`open_bytes`, or a line is not UTF-8.
    """
    with open_bytes(path) as stream:
        for number, raw in enumerate(stream, 1):
            line = decode(raw, path, f"line {number}")
            line = line.removesuffix("\n").removesuffix("\r")
            yield number, line.removeprefix(_BOM) if number == 1 else line


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
