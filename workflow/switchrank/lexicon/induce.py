"""Lexicons from aligned vectors: the nearest target words of every source word, with scores.

The published lexicons are 1-nearest neighbours by inner product (Litschko, Artemova and Plank 2023, arXiv 2305.05295,
section 3). CSLS (Conneau et al. 2018, arXiv 1710.04087) corrects for hubs; mutual best pairs and a score threshold
trade coverage for precision.
"""

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.formats.tables import LEXICON, write_table
from switchrank.formats.vectors import Vectors, load_vectors
from switchrank.search.blocks import Floats, Indices
from switchrank.search.choices import EXACT, Choice
from switchrank.search.nearest import Matcher
from switchrank.text.words import key

SAMPLE = 1000
"""Source words that the recall of an approximate search is measured on."""
POOL = 20
"""Each word of the sample adds so many target words to the candidates for all of them."""
SEED = 1


def induce_lexicon(
    *, source: str | Path, target: str | Path, out: str | Path, choice: Choice = EXACT, threads: int = 1
) -> dict[str, int]:
    """Write the lexicon table ``out`` (``LEXICON``): the ``k`` best target words of every source word.

    Sources are look-up keys; of source words with one key the most frequent counts. Scores are cosines (``nn``) or CSLS
    values; ties go to the more frequent target. The recall of an approximate search (``ivf``, ``hnsw``), measured on a
    sample, goes to standard error and, as ``search``, into the metadata of ``out``.

    Args:
        source: vector store of the source language.
        target: vectors of the other language, in the same space.
        out: lexicon to write (.parquet).
        choice: which neighbours, and how they are looked for.
        threads: of the search; the result does not depend on it.

    Returns:
        ``{"words": source words with a translation, "rows": rows written}``.

    Raises:
        UserError: a store is missing or empty, dimensions differ, or nothing is left.
    """
    source_store, target_store = load_vectors(source), load_vectors(target)
    _check(source, source_store, target, target_store)
    rows: dict[str, int] = {}
    for row, word in enumerate(source_store.words[: choice.max_source]):
        rows.setdefault(key(word), row)
    left = _vectors(source_store, np.fromiter(rows.values(), dtype=np.int64, count=len(rows)), choice.raw_dot)
    right = _vectors(target_store, slice(choice.max_target), choice.raw_dot)
    matcher = Matcher(left, right, choice.criterion, neighbours=choice.csls_k, search=choice, threads=threads)
    scores, ids = matcher.best_targets(1 if choice.mutual else choice.k)
    metadata = {}
    if choice.search != "exact":
        search = choice.settings() | recall_at_1(matcher, ids[:, 0])
        print("recall@1 {recall_at_1} of the exact search, on {sample} words".format(**search), file=sys.stderr)
        metadata["search"] = json.dumps(search)
    keep = ids >= 0
    if choice.mutual:
        keep[:, 0] &= matcher.mutual(ids[:, 0])
    if choice.threshold is not None:
        keep &= scores >= choice.threshold
    frame = _table(list(rows), target_store.words, scores, ids, keep)
    if frame.is_empty():
        problem = f"no pair passes (threshold {choice.threshold}, mutual {choice.mutual})"
        raise UserError(out, "", problem, "ask for less")
    write_table(frame, out, LEXICON, metadata)
    return {"words": frame["source"].n_unique(), "rows": len(frame)}


def recall_at_1(matcher: Matcher, found: Indices) -> dict[str, float | int]:
    """``recall_at_1``, the share of a seeded ``sample`` of source rows for which the best target row was ``found``.

    ``found``, of shape ``(n,)``, has -1 for none. Ties count as found (:meth:`Matcher.exact_best`).
    """
    size = min(SAMPLE, len(found))
    rows = np.sort(np.random.default_rng(SEED).choice(len(found), size, replace=False))
    return {"recall_at_1": round(float(matcher.exact_best(rows, found[rows], POOL).mean()), 4), "sample": size}


def _vectors(store: Vectors, rows: Indices | slice, raw: bool) -> Floats:
    """Some rows, of unit length or, ``raw``, of their original lengths."""
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
    rows, columns = np.nonzero(keep)
    return pl.DataFrame(
        {
            "source": pl.Series(keys, dtype=pl.String).gather(rows),
            "target": pl.Series(targets, dtype=pl.String).gather(ids[rows, columns]),
            "score": scores[rows, columns],
            "rank": (columns + 1).astype(np.int32),
        }
    )
