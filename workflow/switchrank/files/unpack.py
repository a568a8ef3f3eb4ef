"""Archives of others, unpacked without trust: zip and tar (plain, gzip, bzip2, xz), told by content.

Nothing is written outside the folder asked for: a member whose name is absolute or climbs with ``..``, a link or a
device ends the work before a byte is written. The sum of sizes is limited, and no file may turn out longer than it
declares, against archives made to fill a disk.
"""

from __future__ import annotations

import errno
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Self

from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import UserError

_CHUNK = 1 << 20
_MEMBERS = 100_000
_FLOOR = 1 << 30
_RATIO = 200
_IN_MEMORY = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    OverflowError,
    OSError,
)


@dataclass(frozen=True)
class _Member:
    """A file in an archive: its name, its declared size in bytes, and how to open it."""

    name: str
    size: int
    open: Callable[[], IO[bytes] | None]


def unpack(archive: str | Path, out: str | Path, *, limit: int | None = None, overwrite: bool = False) -> list[str]:
    """Unpack all files of an archive into a folder, which appears whole or not at all.

    Args:
        archive: a zip or tar file.
        out: the folder to make; one that an archive was unpacked into, and that nobody changed, is replaced.
        limit: largest sum of sizes in bytes; default: 1 GiB, or 200 times the archive where that is more.
        overwrite: replace an older folder ``out`` whatever it holds.

    Returns:
        The names of the files, in the archive's order.

    Raises:
        UserError: not an archive, a broken or encrypted one, a dangerous member, or more than the limit;
            ``out`` holds other things.
    """
    with (
        _opened(archive, limit) as members,
        atomic_folder(out, "an unpacked archive", overwrite=overwrite) as folder,
    ):
        for member in members:
            _write(archive, member, folder / member.name)
        return [member.name for member in members]


def unpack_member(archive: str | Path, name: str, out: Path, *, limit: int | None = None) -> None:
    """Write one file of an archive to ``out``.

    Raises:
        UserError: as :func:`unpack`, or the archive has no such file.
    """
    with _opened(archive, limit) as members:
        found = next((member for member in members if member.name == name), None)
        if found is None:
            known = ", ".join(member.name for member in members[:5])
            raise UserError(archive, name, "no such file in the archive", f"it holds {known or 'no files'}")
        _write(archive, found, out)


def _write(archive: str | Path, member: _Member, out: Path) -> None:
    """Write one member, no more and no less than the size it declares."""
    stream = member.open()
    if stream is None:
        raise UserError(archive, member.name, "cannot be read", "fetch or make the archive again")
    out.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with stream, out.open("wb") as file:
        while chunk := stream.read(_CHUNK):
            written += len(chunk)
            if written > member.size:
                raise UserError(archive, member.name, "longer than it says", "take the archive from another source")
            file.write(chunk)
    if written != member.size:
        raise UserError(archive, member.name, "shorter than it says", "fetch or make the archive again")


@contextmanager
def _opened(archive: str | Path, limit: int | None) -> Iterator[list[_Member]]:
    """The files of an archive, all of them safe to write; whatever goes wrong with them is one line."""
    try:
        most = max(_FLOOR, _RATIO * Path(archive).stat().st_size) if limit is None else limit
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                yield _checked(archive, _zip_members(archive, packed), most)
        else:
            with tarfile.open(archive, tarinfo=_Header) as packed_tar:
                yield _checked(archive, _tar_members(archive, packed_tar), most)
    except FileNotFoundError as error:
        raise UserError(archive, "", "no such file", "correct the path") from error
    except _BROKEN as error:
        told = str(error).splitlines() or [type(error).__name__]
        unknown = told[0].startswith("file could not be opened")
        problem = "neither zip nor tar, or broken" if unknown else f"cannot be unpacked ({told[0][:160]})"
        full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
        todo = "make room" if full else "give a whole zip or tar archive without a password"
        raise UserError(archive, "", problem, todo) from error


class _Header(tarfile.TarInfo):
    """A tar header; those that hold a long name or attributes are read into memory, so they must be small."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.type in _IN_MEMORY and found.size > _CHUNK:
            raise tarfile.ReadError("a header that is too long")
        return found


def _zip_members(archive: str | Path, packed: zipfile.ZipFile) -> Iterator[_Member]:
    for info in packed.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise _dangerous(archive, info.filename, "a link or device")
        if not info.filename.endswith("/"):
            yield _Member(info.filename, info.file_size, lambda info=info: packed.open(info))  # type: ignore[misc]


def _tar_members(archive: str | Path, packed: tarfile.TarFile) -> Iterator[_Member]:
    for info in packed:
        if not (info.isfile() or info.isdir()):
            raise _dangerous(archive, info.name, "a link or device")
        if info.isfile():
            yield _Member(info.name, info.size, lambda info=info: packed.extractfile(info))  # type: ignore[misc]
    assert packed.fileobj is not None
    packed.fileobj.seek(packed.offset)
    if len(packed.fileobj.read(tarfile.BLOCKSIZE)) < tarfile.BLOCKSIZE:
        raise UserError(archive, "", "truncated: it ends without the mark of its end", "fetch or make it again")


def _checked(archive: str | Path, members: Iterator[_Member], limit: int) -> list[_Member]:
    """The members, their names made plain.

    Raises:
        UserError: a name leads elsewhere, one stands twice, or they are too many or too large together.
    """
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
