"""Induce a bilingual lexicon: the nearest target words of every source word in aligned vectors, exactly, with scores.

The published lexicons are 1-nearest neighbours by inner product (Litschko, Artemova and Plank 2023, arXiv 2305.05295,
section 3); CSLS (Conneau et al. 2018, arXiv 1710.04087) corrects for hubs, mutual best pairs and a score threshold
trade coverage for precision.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.errors import UserError
from switchrank.formats.tables import LEXICON, write_table
from switchrank.formats.vectors import Vectors, load_vectors
from switchrank.neighbours import Criterion, Side, mutual_best, sides, top_k
from switchrank.words import key

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


def induce_lexicon(
    *,
    source: str | Path,
    target: str | Path,
    out: str | Path,
    criterion: Criterion = "csls",
    k: int = 1,
    csls_k: int = 10,
    threshold: float | None = None,
    mutual: bool = False,
    max_source: int | None = None,
    max_target: int | None = None,
    raw_dot: bool = False,
    threads: int = 1,
) -> dict[str, int]:
    """Write the lexicon table ``out`` (``LEXICON``): the ``k`` best target words of every source word.

    Sources are look-up keys, of source words with one key the most frequent counts; targets are words as they stand in
    the store. Scores are cosines (``nn``) or CSLS values; ties go to the more frequent target.

    Args:
        source, target: prefixes of vector stores in one space.
        threshold: smallest score kept.
        mutual: keep only pairs that are each other's best, so one translation a word at most.
        max_source, max_target: only that many most frequent words take part.
        raw_dot: compatibility: rank by the inner product of the vectors as they were before they were made unit
            length, as the published lexicons did; goes with ``nn``.

    Returns:
        ``{"words": source words with a translation, "rows": rows written}``.

    Raises:
        UserError: a store is missing, dimensions differ, ``raw_dot`` is asked for with ``csls``, or nothing is left.
    """
    if raw_dot and criterion != "nn":
        raise UserError(out, "raw_dot", f"has no meaning with criterion {criterion!r}", "write criterion: nn")
    rows, keys, source_store = _source_words(source, max_source)
    target_store = load_vectors(target)
    _check_dimensions(source, source_store, target, target_store)
    plain = rows[-1] == len(rows) - 1  # no key repeats: a slice needs no copy
    left = source_store.matrix[: len(rows)] if plain else source_store.matrix[rows]
    right = target_store.matrix[:max_target]
    if raw_dot:
        prepared = Side(left, source_store.norms[rows]), Side(right, target_store.norms[:max_target]), False
    else:
        prepared = sides(left, right, criterion, csls_k, threads=threads)
    scores, ids, keep = _best(*prepared, k, mutual, threads)
    if threshold is not None:
        keep &= scores >= threshold
    frame = _table(keys, target_store.words, scores, ids, keep)
    if frame.is_empty():
        raise UserError(out, "", f"no pair passes (threshold {threshold}, mutual {mutual})", "ask for less")
    write_table(frame, out, LEXICON)
    return {"words": frame["source"].n_unique(), "rows": len(frame)}


def _source_words(prefix: str | Path, limit: int | None) -> tuple[Indices, list[str], Vectors]:
    """Rows and look-up keys of the source words that take part, by falling frequency, and their store."""
    store = load_vectors(prefix)
    rows: dict[str, int] = {}
    for row, word in enumerate(store.words[:limit]):
        rows.setdefault(key(word), row)
    return np.fromiter(rows.values(), dtype=np.int64, count=len(rows)), list(rows), store


def _check_dimensions(source: str | Path, left: Vectors, target: str | Path, right: Vectors) -> None:
    if left.matrix.shape[1] != right.matrix.shape[1]:
        problem = f"{right.matrix.shape[1]} dimensions, {source} has {left.matrix.shape[1]}"
        raise UserError(target, "", problem, "align the vectors first, both in one space")


def _best(
    left: Side, right: Side, double: bool, k: int, mutual: bool, threads: int
) -> tuple[Floats, Indices, NDArray[np.bool_]]:
    """Scores, target rows and what to keep of them, all ``(sources, k)``."""
    scores, ids = top_k(left, right, 1 if mutual else k, double=double, threads=threads, what="translations")
    keep = np.ones(scores.shape, dtype=bool)
    if mutual:
        keep[:, 0] = mutual_best(left, right, double, ids[:, 0], threads=threads)
    return scores, ids, keep


def _table(keys: list[str], targets: list[str], scores: Floats, ids: Indices, keep: NDArray[np.bool_]) -> pl.DataFrame:
    """The kept pairs in source order, ranked from 1."""
    rows, columns = np.nonzero(keep)
    return pl.DataFrame(
        {
            "source": pl.Series(keys, dtype=pl.String).gather(rows),
            "target": pl.Series(targets, dtype=pl.String).gather(ids[rows, columns]),
            "score": scores[rows, columns],
            "rank": (columns + 1).astype(np.int32),
        }
    )
