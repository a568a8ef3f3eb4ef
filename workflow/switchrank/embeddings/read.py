"""Read given word vectors into a vector store: text of any origin, word2vec binary, fastText binary, packed or not.

The content of a file decides what it is (:mod:`switchrank.formats.vector_kinds`). Rows pass through in blocks on their
way to disk. With a cache folder, a file that this code has read before with these settings is copied, not parsed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from switchrank.core.digest import code_digest, value_digest
from switchrank.core.errors import UserError
from switchrank.embeddings.cache import Record, content_digest, fetch_cached, keep_cached
from switchrank.embeddings.fasttext_binary import read_fasttext_vectors
from switchrank.embeddings.rows import RowSink
from switchrank.embeddings.text import read_text_vectors
from switchrank.embeddings.word2vec import read_word2vec_vectors
from switchrank.files.reading import read_lines
from switchrank.formats.vector_kinds import Kind, vector_kind
from switchrank.formats.vectors import vector_writer


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
        extra = None if extra_words is None else content_digest(Path(extra_words))
        key = value_digest([content_digest(path), max_words, extra, code_digest("embeddings.read")])
        entry = Path(cache) / "vectors" / key
        record = fetch_cached(entry, out)
    if not record:
        lines = read_lines(extra_words) if extra_words is not None else ()
        record = _read(path, kind, out, max_words, [word for _, line in lines if (word := line.strip())])
        if entry:
            keep_cached(entry, out, record)
    for note in record["notes"]:
        print(f"{path}: warning: {note}", file=sys.stderr)
    return {"words": record["words"], "dim": record["dim"]}


def _read(path: Path, kind: Kind, out: str | Path, max_words: int | None, extra_words: Sequence[str]) -> Record:
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
