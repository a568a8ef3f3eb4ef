"""Vector stores that were read before, kept by the content of the file they came from.

An entry is the two files of a store and a ``.json`` with their digests, written last. Entries of one key are equal byte
by byte, and every file is moved into place whole, so that two processes may write or read one entry at the same time.
A file that does not have its digest is not used.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import IO, TypedDict

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.formats.vectors import vector_files, writing

_CHUNK = 1 << 22


class Record(TypedDict):
    """What was read: number of words and dimensions, and notes for the user."""

    words: int
    dim: int
    notes: list[str]


class _Damaged(Exception):
    """An entry is there, but it is not what was kept."""


def content_digest(path: Path) -> str:
    """SHA-256 of the bytes of a file as they lie on disk, with a progress bar.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return _digest(file, f"digest of {path.name}", path.stat().st_size)
    except OSError as error:
        raise UserError(path, "", f"cannot be read ({error.strerror})", "correct the path or its rights") from error


def _digest(file: IO[bytes], what: str | None = None, total: int = 0, copy: IO[bytes] | None = None) -> str:
    """SHA-256 of the rest of a file, which is written to ``copy`` as well."""
    digest = hashlib.sha256()
    with progress(total=total, what=what, unit="B") as bar:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            bar.update(len(chunk))
            if copy:
                copy.write(chunk)
    return digest.hexdigest()


def fetch_cached(entry: Path, out: str | Path) -> Record | None:
    """Copy the store of ``entry`` (a prefix) to the prefix ``out``; None where there is no whole one.

    Raises:
        UserError: the store cannot be written.
    """
    try:
        kept = json.loads(Path(f"{entry}.json").read_text(encoding="utf-8"))
        record: Record = {"words": int(kept["words"]), "dim": int(kept["dim"]), "notes": list(map(str, kept["notes"]))}
        _copy_store(entry, out, expected=kept["sha256"])
    except OSError:
        return None
    except (_Damaged, ValueError, LookupError, TypeError):
        print(f"{entry}: warning: the cached vectors are damaged and are made again", file=sys.stderr)
        return None
    return record


def keep_cached(entry: Path, out: str | Path, record: Record) -> None:
    """Copy the store ``out`` into the cache. Where that fails there is a warning, and no harm is done."""
    try:
        digests = _copy_store(out, entry)
        with atomic_path(f"{entry}.json") as temporary:
            temporary.write_text(json.dumps({**record, "sha256": digests}, indent=2) + "\n", encoding="utf-8")
    except (OSError, UserError) as error:
        print(f"{entry}: warning: the vectors are not kept in the cache ({error})", file=sys.stderr)


def _copy_store(source: str | Path, target: str | Path, expected: list[str] | None = None) -> list[str]:
    """Copy both files of a store, all or none; returns their digests."""
    digests = []
    words, matrix = vector_files(target)
    with writing(target):
        words.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(words) as words_temporary, atomic_path(matrix) as matrix_temporary:
        for file, temporary in zip(vector_files(source), (words_temporary, matrix_temporary), strict=True):
            with file.open("rb") as reader, writing(temporary), temporary.open("wb") as writer:
                digests.append(_digest(reader, copy=writer))
            if expected is not None and expected[len(digests) - 1] != digests[-1]:
                raise _Damaged(file)
    return digests
