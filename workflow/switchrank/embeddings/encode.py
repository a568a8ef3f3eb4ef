"""Word vectors from a pretrained encoder: each word is encoded by itself.

A multilingual encoder puts words of all its languages into one space, so the vectors need no alignment, and no other
vectors: lexicons are induced from them as from any. Litschko et al. 2021, arXiv 2101.08370, encode words in isolation
like this (ISO) to rank by them.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.embeddings.keep import write_record
from switchrank.files.reading import read_lines
from switchrank.formats.tables import DOCUMENTS, WORDS, read_table
from switchrank.formats.vectors import vector_writer
from switchrank.models.encode import tokenise
from switchrank.models.encoder import LONGEST, Encoder
from switchrank.models.folder import ORIGIN_RECORD, START_RECORD, read_object
from switchrank.text.equality import lower
from switchrank.text.splitting import language_splitter

_CHUNK = 8192
_BLANK = ("▁", "Ġ")
"""Pieces that stand for a space alone."""


def encode_words(*, model: str | Path, words: Sequence[str], out: str | Path, threads: int = 1) -> dict[str, Any]:
    """Write the vector store ``out`` (prefix): each word's mean state in an encoder; and a record.

    Words of which the model has no piece, so that it cannot tell them apart, are left out and counted. No prompt stands
    before a word, whatever the model was trained with: with one fewer translations are right (docs/results.md).

    Args:
        model: folder or hub name of an encoder (:class:`switchrank.models.encoder.Encoder`).
        words: distinct words, the most frequent first; the store has them in this order.
        out: writes PREFIX.words.parquet, PREFIX.npy and PREFIX.json.
        threads: CPU threads; equal ones give equal bytes.

    Returns:
        The record: what the ``model`` is, how many ``words`` were encoded and how many are ``unknown``, ``dimensions``.

    Raises:
        UserError: the model cannot be had or is no encoder; it has no piece for any of the words.
    """
    encoder = Encoder(model, threads=threads)
    known = _known(encoder.tokenizer, words)
    kept = [word for word, is_known in zip(words, known, strict=True) if is_known]
    if not kept:
        problem = f"writes all of {len(words)} words as unknown pieces"
        raise UserError(model, "tokenizer", problem, "name a model that knows their language")
    if len(kept) < len(words):
        print(f"{len(words) - len(kept)} of {len(words)} words have only unknown pieces: left out", file=sys.stderr)
    with vector_writer(out) as writer, progress(total=len(kept), what="encode words", unit="words") as bar:
        for start in range(0, len(kept), _CHUNK):
            some = kept[start : start + _CHUNK]
            rows = encoder(some)
            norms = np.linalg.norm(rows, axis=1)
            writer.append(some, rows / norms[:, None], norms)
            bar.update(len(some))
    counted = {"words": len(kept), "unknown": len(words) - len(kept), "dimensions": encoder.dimensions}
    record = {"method": "encoded", "model": _name(Path(model))} | counted
    write_record(out, record)
    return record


def listed_words(path: str | Path, max_words: int | None = None) -> list[str]:
    """The first distinct words of a list: the first column of a text file (.gz, .xz too), or the words file of a store.

    Raises UserError where the file is missing, damaged or holds none.
    """
    if Path(path).suffix == ".parquet":
        found = read_table(path, WORDS)["word"].to_list()
    else:
        found = [line.split(maxsplit=1)[0] for _, line in read_lines(path) if line.strip()]
    if not found:
        raise UserError(path, "", "no words", "give a file with a word a line, the most frequent first")
    return list(dict.fromkeys(found))[:max_words]


def frequent_words(
    texts: Sequence[str | Path],
    max_words: int | None = None,
    *,
    language: str = "",
    vocabulary: str | Path | None = None,
) -> list[str]:
    """The most frequent words of some texts in lower case, equally frequent ones in code point order.

    Args:
        texts: tables of documents (.parquet, ``DOCUMENTS``).
        max_words: so many at most; default: all.
        language: code of the language; lower case depends on it (:func:`switchrank.text.equality.lower`).
        vocabulary: what cuts text without spaces (:func:`switchrank.text.splitting.language_splitter`).

    Raises:
        UserError: a table is missing or damaged, or no text has a word.
    """
    split, counts = language_splitter(vocabulary), Counter[str]()
    for file in progress(list(texts), what="count words", unit="files"):
        for text in read_table(file, DOCUMENTS)["text"]:
            counts.update(lower(word, language) for word in split(text)[0])
    if not counts:
        raise UserError(", ".join(map(str, texts)), "", "no words", "give documents that have some")
    return sorted(counts, key=lambda word: (-counts[word], word))[:max_words]


def _known(tokenizer: Any, words: Sequence[str]) -> NDArray[np.bool_]:
    """Whether each word has a piece that is neither unknown nor a space."""
    cut = tokenise(tokenizer, list(words), limit=LONGEST)
    numbers = tokenizer.get_vocab()
    silent = [numbers[piece] for piece in _BLANK if piece in numbers]
    silent += [] if tokenizer.unk_token_id is None else [tokenizer.unk_token_id]
    owners = np.repeat(np.arange(len(words)), np.minimum(cut.lengths, LONGEST))
    known = np.zeros(len(words), dtype=np.bool_)
    known[owners[~np.isin(cut.ids, silent)]] = True
    return known


def _name(model: Path) -> str:
    """What a record calls a model: by the record in its folder, else the folder's name or that on a hub."""
    for record in (ORIGIN_RECORD, START_RECORD):
        if (model / record).is_file():
            return str(read_object(model / record).get("model", model.name))
    return model.name if model.is_dir() else str(model)
