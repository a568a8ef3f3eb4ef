"""Lines of text and of bitext that models are trained from, by their languages, which the places of files tell."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.formats.tables import BITEXT, read_table
from switchrank.train.tokenizer import read_texts

_PARTS = ("train", "held-out")


def language_of(path: str | Path) -> str:
    """The language that the place of a file tells: ``<language>/train.parquet``, or ``<language>.txt`` or the like."""
    path = Path(path)
    name = path.name.partition(".")[0]
    return path.resolve().parent.name if name in _PARTS else name


def pair_of(path: str | Path) -> tuple[str, str]:
    """The source and target language of ``<source>-<target>/train.parquet`` or ``<source>-<target>.parquet``.

    Raises UserError where the place of the file tells no two languages.
    """
    source, _, target = language_of(path).partition("-")
    if not (source and target):
        problem = f"two languages cannot be told from {language_of(path)!r}"
        raise UserError(path, "languages", problem, "call the file, or its folder, source-target, such as en-de")
    return source, target


def read_lines(files: Iterable[str | Path]) -> dict[str, pl.Series]:
    """The distinct texts of each language, in the order in which they are met; empty ones are left out.

    Raises UserError where a file cannot be read (:func:`switchrank.train.tokenizer.read_texts`).
    """
    found: dict[str, list[str]] = {}
    for file in progress(list(files), what="texts", unit="files"):
        found.setdefault(language_of(file), []).extend(text for text in read_texts(file) if text.strip())
    return {name: pl.Series("text", some).unique(maintain_order=True) for name, some in found.items() if some}


def read_pairs(files: Sequence[str | Path]) -> dict[tuple[str, str], pl.DataFrame]:
    """The distinct rows, columns ``source`` and ``target``, of each pair of languages, in the order of the files.

    Raises UserError where a file is no ``BITEXT`` table, or its place tells no two languages.
    """
    found: dict[tuple[str, str], list[pl.DataFrame]] = {}
    for file in progress(list(files), what="bitext", unit="files"):
        found.setdefault(pair_of(file), []).append(read_table(file, BITEXT).select("source", "target"))
    return {pair: pl.concat(some).unique(maintain_order=True) for pair, some in found.items()}
