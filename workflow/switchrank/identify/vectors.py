"""Word vectors: text with and without a header (fastText, word2vec, MUSE, GloVe), word2vec binary, fastText binary."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.progress import silence
from switchrank.embeddings.fasttext_binary import check_model
from switchrank.embeddings.read import RowSink, read_text_vectors, read_word2vec_vectors
from switchrank.formats.vector_kinds import FASTTEXT_MAGIC, HEADER, MOST_DIMENSIONS, is_number, looks_binary
from switchrank.identify import languages
from switchrank.identify.found import Found, Problems, quoted, shorten
from switchrank.identify.kinds import closed
from switchrank.identify.source import Source

_FEWEST = 8
"""Numbers that a line must have to be taken for a vector where no header says so."""
_SAMPLED = 500


def _sides(files: dict[str, Path], _first: Found) -> dict[str, str]:
    return {"vectors": "\n".join(f"    {code}: {{path: {quoted(str(file))}}}" for code, file in files.items())}


FOLDERS = {"vectors-folder": {"sides": _sides}}


class _Tally(RowSink):
    """Counts the rows that a reader gives, and keeps none."""

    def __init__(self) -> None:
        super().__init__(self)  # type: ignore[arg-type]
        self.rows = self.dimensions = 0
        self.sample: list[str] = []

    def append(self, words: list[str], _matrix: NDArray[np.float32], _norms: NDArray[np.float64]) -> None:
        """Take rows as the store of vectors would."""
        self.sample += words[: max(0, _SAMPLED - len(self.sample))]

    def take(self, words: list[bytes], matrix: NDArray[np.float32]) -> int:
        self.rows, self.dimensions = self.rows + len(words), matrix.shape[1]
        return super().take(words, matrix)


@silence()
def inspect(source: Source) -> Found | None:
    """What a file of word vectors is; None for all others."""
    if source.head.startswith(FASTTEXT_MAGIC):
        return _fasttext(source)
    if source.is_text:
        header = HEADER.match(source.head)
        if not _are_rows(source.head_lines(50)[1 if header else 0 :], header):
            return None
        kind = "with a header (fastText .vec, word2vec text, MUSE)" if header else "without a header (GloVe)"
        return _read(Found("vectors-text", f"word vectors as text, {kind}", "words"), source, read_text_vectors)
    if not looks_binary(source.head):
        return None
    found = Found("vectors-word2vec", "word vectors in the binary format of word2vec", "words")
    return _read(found, source, read_word2vec_vectors)


def _are_rows(lines: list[bytes], header: re.Match[bytes] | None) -> bool:
    """Whether most lines are a word and as many numbers as the header promises, or as most other lines have."""
    numbers = [line.split()[1:] for line in lines]
    widths = [len(fields) if all(map(is_number, fields)) else 0 for fields in numbers]
    dimensions = int(header[2]) if header else max(set(widths), key=widths.count, default=0)
    sized = (1 if header else _FEWEST) <= dimensions <= MOST_DIMENSIONS
    return bool(widths) and sized and widths.count(dimensions) >= (0.5 if header else 0.9) * len(widths)


def _read(found: Found, source: Source, read: Callable[[str, RowSink], None]) -> Found:
    tally, problems = _Tally(), Problems()
    try:
        read(source.view, tally)
    except UserError as error:
        if not source.stopped:
            problems.take(error)
    found.rows = tally.rows
    for what, count in tally.skipped.items():
        if count and what == "repeated words":
            found.notes.append(f"{count:,} {what}: the first is kept")
        elif count:
            found.problems.append(f"{count:,} {what}")
    found.problems += [] if source.stopped else tally.remarks
    found.problems += problems.listed()
    return _finished(found, source, tally.dimensions, tally.sample)


def _finished(found: Found, source: Source, dimensions: int, words: list[str]) -> Found:
    found.samples = [shorten(", ".join(words[:12]))] if words else []
    found = closed(found, source)
    found.counts["dimensions"] = dimensions
    found.languages = languages.from_name(source.path)
    found.scripts = languages.scripts(words)
    return found


def _fasttext(source: Source) -> Found:
    found, words, dimensions = Found("vectors-fasttext", "a fastText model (.bin)", "words"), list[str](), 0
    source.quick = False  # its numbers are in its head, and whether it is whole shows at its end
    try:
        model = check_model(source.view)
    except UserError as error:
        found.problems.append(error.problem)
    else:
        words, dimensions = [word.decode("utf-8", "replace") for word in model.words], model.dimensions
        found.rows, found.counts = len(words), {"buckets": model.buckets}
        wrong = sum("\ufffd" in word for word in words)
        found.problems += [f"{wrong:,} words that are not UTF-8"] if wrong else []
        if model.buckets > 0 and model.longest > 0:
            note = f"letter n-grams of {model.shortest} to {model.longest}: words that it lacks get vectors too"
        else:
            note = "no letter n-grams: words that it lacks get no vectors"
        found.notes.append(note)
    return _finished(found, source, dimensions, words[:_SAMPLED])
