"""How often each word occurs in each language, and how much each language weighs in the shared vocabulary.

Texts are counted after the tokenizer's own normaliser and pre-tokenizer, so that what is counted is what is later cut.
A language that only has word vectors is counted by Zipf's law: word of rank r occurs 1/r as often as the first.
Languages are balanced by exponential smoothing as in XLM (Conneau and Lample 2019, arXiv 1901.07291, section 3.1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl
from tokenizers import Tokenizer

from switchrank.core.errors import UserError
from switchrank.formats.tables import DAMAGE, reason
from switchrank.formats.vectors import load_vectors
from switchrank.text.running_text import read_prose
from switchrank.text.words import Splitter

Counts = dict[str, float]
_COLUMNS = ("text", "query", "passage")
_ROWS = 50_000


def read_texts(path: str | Path) -> Iterator[str]:
    """The texts of one file that a tokenizer is trained on, in file order.

    Args:
        path: ``.parquet`` (columns ``text``, or ``query`` and ``passage``), or lines of UTF-8, plain, gzip or xz.

    Raises:
        UserError: the file is missing, damaged, not UTF-8, no text (XML, SQL, binary), or a table without text.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(path, "", "no such file", "correct the path, or run the stage that makes it")
    return _read_column_texts(path) if path.suffix == ".parquet" else read_prose(path)


def _read_column_texts(path: Path) -> Iterator[str]:
    try:
        frame = pl.scan_parquet(path)
        columns = [name for name in _COLUMNS if name in frame.collect_schema()]
        if not columns:
            raise UserError(path, "columns", "no column of text", f"a table with {' or '.join(_COLUMNS)} is needed")
        for column in columns:
            start = 0
            while len(rows := frame.select(column).slice(start, _ROWS).collect()):
                yield from rows[column]
                start += _ROWS
    except DAMAGE as error:
        raise UserError(path, "", f"not a readable parquet table ({reason(error)})", "delete it and rerun") from error


def pretokens(backend: Tokenizer, text: str) -> list[str]:
    """The strings that the tokenizer's model sees: normalised, cut at white space and punctuation."""
    return [piece for piece, _ in backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(text))]


def count_texts(
    backend: Tokenizer, paths: Sequence[str | Path], *, max_characters: int, split: Splitter | None = None
) -> Counts:
    """Counts of the words of some files, read in order; no text is begun after ``max_characters``.

    ``split`` cuts runs of unspaced text into words.
    """
    chunks: Counter[str] = Counter()
    seen = 0
    for path in paths:
        for text in read_texts(path):
            if seen >= max_characters:
                break
            seen += len(text)
            chunks.update(text.split())
    runs = _recount(chunks, lambda chunk: pretokens(backend, chunk))
    return dict(runs if split is None else _recount(runs, lambda run: split(run)[0]))


def _recount(counts: Counter[str], cut: Callable[[str], list[str]]) -> Counter[str]:
    """Counts of the parts: each distinct string is cut once."""
    parts: Counter[str] = Counter()
    for string, count in counts.items():
        for part in cut(string):
            parts[part] += count
    return parts


def count_vectors(backend: Tokenizer, prefix: str | Path) -> Counts:
    """Zipf pseudo-counts of the words of a vector store, the first word counting 1."""
    counts: Counts = {}
    for rank, word in enumerate(load_vectors(prefix).words, 1):
        for piece in pretokens(backend, word):
            counts[piece] = counts.get(piece, 0.0) + 1 / rank
    return counts


class Word(NamedTuple):
    """A word of the shared vocabulary: its probability over all languages, and whether it was seen more than once."""

    text: str
    probability: float
    repeated: bool


def balance(texts: Mapping[str, Counts], ranked: Mapping[str, Counts], *, alpha: float) -> list[Word]:
    """Words of all languages, most probable first, ties by code points.

    Args:
        texts: counts from text, per language: n tokens weigh n ** ``alpha``.
        ranked: pseudo-counts from vectors, per language, which weighs as much as the largest other; all their words
            count as repeated.
        alpha: 0 = all languages weigh the same, 1 = each as much as it has text.
    """
    totals = {language: sum(counts.values()) for language, counts in texts.items()}
    totals |= dict.fromkeys(ranked, max(totals.values(), default=1.0))
    weights = {language: total**alpha for language, total in totals.items()}
    merged: Counts = {}
    repeated: set[str] = set()
    for language, counts in sorted({**texts, **ranked}.items()):
        share = weights[language] / sum(weights.values()) / sum(counts.values())
        for word, count in counts.items():
            merged[word] = merged.get(word, 0.0) + share * count
            if count > 1 or language in ranked:
                repeated.add(word)
    ordered = sorted(merged.items(), key=lambda item: (-item[1], item[0]))
    return [Word(word, probability, word in repeated) for word, probability in ordered]
