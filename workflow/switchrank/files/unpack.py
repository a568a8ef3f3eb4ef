"""Untrusted archives: zip and tar (plain, gzip, bzip2, xz), told apart by content.

A member whose name is absolute or climbs with ``..``, a link or a device is an error before a byte is written. Against
archives made to fill a disk, the sum of sizes is limited, and no file may turn out longer than it declares.
"""

import errno
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Self

from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import UserError
from switchrank.files.reading import BROKEN

_BROKEN: tuple[type[Exception], ...] = (*BROKEN, tarfile.TarError, OverflowError)
_CHUNK = 1 << 20
_MEMBERS = 100_000
_FLOOR = 1 << 30
_RATIO = 200
_IN_MEMORY = b"xgXLK"
"""Types of tar headers that are read into memory: attributes (also Solaris's), long names, long links."""


@dataclass(frozen=True)
class _Member:
    """A file in an archive; ``size`` is declared, in bytes."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def unpack(archive: str | Path, out: str | Path, *, limit: int | None = None, overwrite: bool = False) -> list[str]:
    """Unpack all files of an archive into the folder ``out``, which appears whole or not at all; returns their names.

    An older folder ``out`` is replaced where an archive was unpacked into it and nobody changed it, with ``overwrite``
    whatever it holds. ``limit`` is the largest sum of sizes in bytes, by default 1 GiB, or 200 times the archive where
    that is more. UserError: not an archive, a broken or encrypted one, a dangerous member, more than the limit, or
    ``out`` holds other things.
    """
    with (
        _opened(archive, limit) as members,
        atomic_folder(out, "an unpacked archive", overwrite=overwrite) as folder,
    ):
        for member in members:
            _write(archive, member, folder / member.name)
        return [member.name for member in members]


def unpack_member(archive: str | Path, name: str, out: Path) -> None:
    """Write one file of an archive to ``out``; UserError as of :func:`unpack`, or if there is no such file."""
    with _opened(archive, None) as members:
        found = next((member for member in members if member.name == name), None)
        if found is None:
            known = ", ".join(member.name for member in members[:5])
            raise UserError(archive, name, "no such file in the archive", f"it holds {known or 'no files'}")
        _write(archive, found, out)


def _write(archive: str | Path, member: _Member, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with member.open() as stream, out.open("wb") as file:
        while chunk := stream.read(_CHUNK):
            written += len(chunk)
            if written > member.size:
                raise UserError(archive, member.name, "longer than it says", "take the archive from another source")
            file.write(chunk)
    if written != member.size:
        raise UserError(archive, member.name, "shorter than it says", "fetch or make the archive again")


@contextmanager
def _opened(archive: str | Path, limit: int | None) -> Iterator[list[_Member]]:
    """The files of an archive, all of them safe to write; whatever goes wrong with them is a UserError."""
    try:
        most = max(_FLOOR, _RATIO * Path(archive).stat().st_size) if limit is None else limit
        is_zip = zipfile.is_zipfile(archive)
        with zipfile.ZipFile(archive) if is_zip else tarfile.open(archive, tarinfo=_Header) as packed:
            yield _checked(archive, _members(archive, packed), most)
    except FileNotFoundError as error:
        raise UserError(archive, "", "no such file", "correct the path") from error
    except _BROKEN as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        unknown = reason.startswith("file could not be opened")
        problem = "neither zip nor tar, or broken" if unknown else f"cannot be unpacked ({reason[:160]})"
        full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
        todo = "make room" if full else "give a whole zip or tar archive without a password"
        raise UserError(archive, "", problem, todo) from error


class _Header(tarfile.TarInfo):
    """A tar header; those that tarfile reads into memory must be small."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.type in _IN_MEMORY and found.size > _CHUNK:
            raise tarfile.ReadError("a header that is too long")
        return found


def _members(archive: str | Path, packed: zipfile.ZipFile | tarfile.TarFile) -> Iterator[_Member]:
    """The files of an archive, as it has them; a link or device is an error."""
    if isinstance(packed, zipfile.ZipFile):
        for entry in packed.infolist():
            if stat.S_IFMT(entry.external_attr >> 16) not in {0, stat.S_IFREG, stat.S_IFDIR}:
                raise _dangerous(archive, entry.filename, "a link or device")
            if not entry.filename.endswith("/"):
                yield _Member(entry.filename, entry.file_size, partial(packed.open, entry))
        return
    for info in packed:
        if not (info.isfile() or info.isdir()):
            raise _dangerous(archive, info.name, "a link or device")
        if info.isfile():
            yield _Member(info.name, info.size, partial(packed.extractfile, info))  # type: ignore[arg-type]
    assert packed.fileobj is not None
    packed.fileobj.seek(packed.offset)
    if len(packed.fileobj.read(tarfile.BLOCKSIZE)) < tarfile.BLOCKSIZE:
        raise UserError(archive, "", "truncated: it ends without the mark of its end", "fetch or make it again")


def _checked(archive: str | Path, members: Iterator[_Member], limit: int) -> list[_Member]:
    """The members under normalised names; UserError where one leads elsewhere or occurs twice, or there is too much."""
    found: dict[str, _Member] = {}
    total = 0
    for member in members:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in member.name or ":" in path.parts[0]:
            raise _dangerous(archive, member.name, "a name that leads elsewhere")
        if path.as_posix() in found:
            raise _dangerous(archive, member.name, "a name that stands twice")
        found[path.as_posix()] = _Member(path.as_posix(), member.size, member.open)
        total += member.size
        if len(found) > _MEMBERS or total > limit:
            problem = f"more than {limit:,} bytes or {_MEMBERS:,} files when unpacked"
            raise UserError(archive, "", problem, "unpack it by hand if you trust it")
    return list(found.values())


def _dangerous(archive: str | Path, name: str, what: str) -> UserError:
    return UserError(archive, ascii(name)[:160], what, "take the archive from a source you trust, or unpack it by hand")
