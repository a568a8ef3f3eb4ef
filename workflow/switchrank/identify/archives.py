"""Packed files that hold many: named, listed, and never unpacked."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from switchrank.core.errors import UserError
from switchrank.identify.found import SAMPLES, Found, shorten
from switchrank.identify.source import Source, packing_of
from switchrank.identify.weights import pickled

_NAMED = {
    b"\x28\xb5\x2f\xfd": ("zstd", "packed with zstd, which is not read: unpack it with zstd -d"),
    b"7z\xbc\xaf\x27\x1c": ("7z", "a 7-Zip archive, which is not read: unpack it"),
    b"Rar!\x1a\x07": ("rar", "a RAR archive, which is not read: unpack it"),
    b"\x04\x22\x4d\x18": ("lz4", "packed with lz4, which is not read: unpack it with lz4 -d"),
    b"\x1f\x9d": ("compress", "packed with compress, which is not read: unpack it with uncompress"),
}
_MOST_NAMES = 100_000


def inspect_packed(path: Path) -> Found | None:
    """What an archive is that cannot be read as one file; nothing for all others."""
    with path.open("rb") as stream:
        start = stream.read(6)
    for magic, (name, problem) in _NAMED.items():
        if start.startswith(magic):
            return Found(name, f"a {name} file", "files", 1, form="binary", problems=[problem])
    return _zip(path) if packing_of(path) == "zip" else None


def _zip(path: Path) -> Found | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.filename.endswith("/")]
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, UnicodeError, zlib.error) as error:
        raise UserError(path, "", f"truncated or corrupt zip ({error})", "fetch or make the file again") from error
    if any(name.endswith("data.pkl") for name in names):
        return pickled(path)
    if len(names) == 1:
        return None
    return _listed(Found("zip", "a zip archive of several files", "files"), names)


def inspect_tar(source: Source) -> Found | None:
    """What a tar archive holds; nothing where the file is none."""
    if source.head[257:262] != b"ustar":
        return None
    mode = {"gzip": "r|gz", "bzip2": "r|bz2", "xz": "r|xz"}.get(source.packing, "r|")
    found, names = Found("tar", "a tar archive", "files", form=source.form), []
    try:
        with tarfile.open(source.path, mode) as archive:  # type: ignore[call-overload]
            for member in archive:
                if member.isfile() or member.issym() or member.islnk():
                    names.append(member.name)
                if len(names) >= _MOST_NAMES:
                    break
    except (tarfile.TarError, OSError, EOFError, ValueError, UnicodeError, zlib.error) as error:
        found.problems.append(f"truncated or corrupt tar ({shorten(str(error))})")
    return _listed(found, names)


def _listed(found: Found, names: list[str]) -> Found:
    found.rows = len(names)
    found.samples = [shorten(name) for name in names[:SAMPLES]]
    found.problems.append("an archive of several files is not read: unpack it, and inspect the files")
    outside = [
        name for name in names if name.startswith(("/", "\\")) or ".." in PurePosixPath(name.replace("\\", "/")).parts
    ]
    if outside:
        found.problems.append(f"{len(outside):,} names lead out of its folder, such as {shorten(outside[0])}")
    return found
