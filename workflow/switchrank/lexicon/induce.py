"""Induce a bilingual lexicon: the nearest target words of every source word in aligned vectors, with scores.

The published lexicons are 1-nearest neighbours by inner product (Litschko, Artemova and Plank 2023, arXiv 2305.05295,
section 3); CSLS (Conneau et al. 2018, arXiv 1710.04087) corrects for hubs, mutual best pairs and a score threshold
trade coverage for precision.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.formats.tables import LEXICON, write_table
from switchrank.formats.vectors import Vectors, load_vectors
from switchrank.lexicon.recall import recall_at_1
from switchrank.lexicon.settings import check_search
from switchrank.search.choices import EXACT, Criterion, Search, SearchKind
from switchrank.search.criteria import Matcher
from switchrank.search.nearest import Floats, Indices
from switchrank.text.words import key


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
    search: SearchKind = EXACT.kind,
    probes: int = EXACT.probes,
    cells: int | None = EXACT.cells,
    links: int = EXACT.links,
    ef_construction: int = EXACT.ef_construction,
    ef_search: int = EXACT.ef_search,
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
        search, probes, cells, links, ef_construction, ef_search: see :class:`switchrank.search.choices.Search`. ``ivf``
            and ``hnsw`` change results: a few translations are not the best ones, and CSLS's means are over what was
            found. Their recall, measured on a sample, goes to standard error and, as ``search``, into the metadata of
            ``out``.

    Returns:
        ``{"words": source words with a translation, "rows": rows written}``.

    Raises:
        UserError: a store is missing or empty, dimensions differ, ``raw_dot`` is asked for with ``csls`` or an
            approximate search, or nothing is left.
    """
    check_search(criterion=criterion, search=search, raw_dot=raw_dot)
    rows, keys, source_store = _source_words(source, max_source)
    target_store = load_vectors(target)
    _check(source, source_store, target, target_store)
    left, right = _vectors(source_store, rows, raw_dot), _vectors(target_store, slice(max_target), raw_dot)
    how = Search(search, probes, cells, links, ef_construction, ef_search)
    matcher = Matcher(left, right, criterion, neighbours=csls_k, search=how, threads=threads)
    scores, ids = matcher.best_targets(1 if mutual else k)
    keep = ids >= 0
    metadata = {}
    if search != "exact":
        metadata = _noted(how.settings() | recall_at_1(matcher, ids[:, 0]))
    if mutual:
        keep[:, 0] &= matcher.mutual(ids[:, 0])
    if threshold is not None:
        keep &= scores >= threshold
    frame = _table(keys, target_store.words, scores, ids, keep)
    if frame.is_empty():
        raise UserError(out, "", f"no pair passes (threshold {threshold}, mutual {mutual})", "ask for less")
    write_table(frame, out, LEXICON, metadata)
    return {"words": frame["source"].n_unique(), "rows": len(frame)}


def _noted(search: dict[str, Any]) -> dict[str, str]:
    """Metadata of a table that say how it was searched; the recall goes to standard error too."""
    print("recall@1 {recall_at_1} of the exact search, on {sample} words".format(**search), file=sys.stderr)
    return {"search": json.dumps(search)}


def _source_words(prefix: str | Path, limit: int | None) -> tuple[Indices, list[str], Vectors]:
    """Rows and look-up keys of the source words that take part, by falling frequency, and their store."""
    store = load_vectors(prefix)
    rows: dict[str, int] = {}
    for row, word in enumerate(store.words[:limit]):
        rows.setdefault(key(word), row)
    return np.fromiter(rows.values(), dtype=np.int64, count=len(rows)), list(rows), store


def _vectors(store: Vectors, rows: Indices | slice, raw: bool) -> Floats:
    """Some rows, of unit length or, ``raw``, as long as they were."""
    if not isinstance(rows, slice) and rows[-1] == len(rows) - 1:
        rows = slice(len(rows))  # no key repeats: needs no copy
    matrix = store.matrix[rows]
    return matrix * store.norms[rows, None] if raw else matrix


def _check(source: str | Path, left: Vectors, target: str | Path, right: Vectors) -> None:
    for prefix, store in ((source, left), (target, right)):
        if not store.words:
            raise UserError(prefix, "", "no words", "make the vectors again from a text or file that has some")
    if left.matrix.shape[1] != right.matrix.shape[1]:
        problem = f"{right.matrix.shape[1]} dimensions, {source} has {left.matrix.shape[1]}"
        raise UserError(target, "", problem, "align the vectors first, both in one space")


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
