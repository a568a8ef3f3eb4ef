"""Read given word vectors into a vector store: text of any origin, word2vec binary, fastText binary, packed or not.

The content of a file decides what it is (:mod:`switchrank.formats.vector_kinds`). With a cache folder, a file that this
code has read before with these settings is copied, not parsed. An entry of the cache is the two files of a store and a
``.json`` with their digests, written last. Entries of one key are equal byte by byte, so that two processes may write
or read one at the same time; a file that does not have its digest is not used.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TypedDict

from switchrank.core.atomic import atomic_path
from switchrank.core.digest import code_digest, value_digest
from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.embeddings.fasttext_binary import read_fasttext_vectors
from switchrank.embeddings.rows import RowSink, read_text_vectors, read_word2vec_vectors
from switchrank.files.reading import read_lines
from switchrank.formats.vector_kinds import Kind, vector_kind
from switchrank.formats.vectors import vector_files, vector_writer, writing

_CHUNK = 1 << 22


class _Record(TypedDict):
    words: int
    dim: int
    notes: list[str]


class _Damaged(Exception):
    """An entry of the cache is there, but it is not what was kept."""


def import_vectors(
    *,
    path: str | Path,
    out: str | Path,
    max_words: int | None = None,
    extra_words: str | Path | None = None,
    cache: str | Path | None = None,
) -> dict[str, int]:
    """Write the vector store ``out`` (prefix) from a file of word vectors, rows made unit length.

    Words are kept as they are, in NFC; the lengths the rows had are kept as ``norm``. Skipped with a counted warning:
    repeated words (the first row stays), rows without a direction (zero, NaN, infinite), words that are not UTF-8, and
    rows of the wrong dimension while they are fewer than one in a thousand.

    Args:
        path: ``.vec`` or other text of vectors, word2vec binary, fastText binary; plain, gzip or xz.
        out: prefix of the store.
        max_words: stop after this many words; the rows of a fastText binary are chosen before reading, so that a few
            may be missing if more than one in a hundred is skipped.
        extra_words: text file, a word a line (UTF-8, plain, gzip or xz): these follow after the others, in this order.
            Needs a fastText binary; words outside of its vocabulary get the mean of their character n-grams.
        cache: folder in which stores are kept by the content of ``path``; nothing is kept without one.

    Returns:
        ``{"words": n, "dim": d}``.

    Raises:
        UserError: the file is missing, damaged, broken off, empty, no vector file, or too many rows have the wrong
            dimension; extra words asked of a file that cannot give them; the store cannot be written.
    """
    path = Path(path)
    kind = vector_kind(path)
    if extra_words is not None and kind != "fasttext":
        problem = "only a fastText binary has vectors for further words"
        raise UserError(path, "", problem, "give the .bin of the model, or leave the extra words out")
    entry, record = None, None
    if cache is not None:
        extra = None if extra_words is None else _content_digest(Path(extra_words))
        key = value_digest([_content_digest(path), max_words, extra, code_digest("embeddings.read")])
        entry = Path(cache) / "vectors" / key
        record = _fetch_cached(entry, out)
    if not record:
        lines = read_lines(extra_words) if extra_words is not None else ()
        record = _read(path, kind, out, max_words, [word for _, line in lines if (word := line.strip())])
        if entry:
            _keep_cached(entry, out, record)
    for note in record["notes"]:
        print(f"{path}: warning: {note}", file=sys.stderr)
    return {"words": record["words"], "dim": record["dim"]}


def _read(path: Path, kind: Kind, out: str | Path, max_words: int | None, extra_words: Sequence[str]) -> _Record:
    with vector_writer(out) as writer:
        sink = RowSink(writer, max_words)
        if kind == "fasttext":
            read_fasttext_vectors(path, sink, extra_words)
        elif kind == "word2vec":
            read_word2vec_vectors(path, sink)
        else:
            read_text_vectors(path, sink)
        if not sink.words:
            raise UserError(path, "", "holds no word vector", "give a file of word vectors, such as a .vec file")
    return {"words": len(writer.words), "dim": writer.dimensions, "notes": sink.notes()}


def _content_digest(path: Path) -> str:
    """SHA-256 of the bytes of a file as they lie on disk, with a progress bar."""
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


def _fetch_cached(entry: Path, out: str | Path) -> _Record | None:
    """Copy the store of ``entry`` (a prefix) to the prefix ``out``; None where there is no whole one."""
    try:
        kept = json.loads(Path(f"{entry}.json").read_text(encoding="utf-8"))
        record: _Record = {"words": int(kept["words"]), "dim": int(kept["dim"]), "notes": list(map(str, kept["notes"]))}
        _copy_store(entry, out, expected=kept["sha256"])
    except OSError:
        return None
    except (_Damaged, ValueError, LookupError, TypeError):
        print(f"{entry}: warning: the cached vectors are damaged and are made again", file=sys.stderr)
        return None
    return record


def _keep_cached(entry: Path, out: str | Path, record: _Record) -> None:
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
