"""Map word vectors into the space of the source language (English, as a rule) by orthogonal Procrustes.

The orthogonal map that brings seed translations closest has a closed form (Xing et al. 2015, doi:10.3115/v1/N15-1104;
Smith et al. 2017, arXiv 1702.03859). Refinement repeats it on the mutual nearest neighbours among frequent words, as
MUSE does (Conneau et al. 2018, arXiv 1710.04087, section 2.2).
"""

import sys
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.embeddings.keep import write_record
from switchrank.formats.pairs import read_pairs
from switchrank.formats.tables import LEXICON, read_table
from switchrank.formats.vectors import Vectors, load_vectors, write_vectors
from switchrank.search.blocks import Floats, Indices
from switchrank.search.choices import Criterion
from switchrank.search.nearest import Matcher
from switchrank.text.words import key

FEW_PAIRS = 50
"""There is a warning where fewer seed pairs are usable."""


class SeedPairs(TypedDict, total=False):
    """Where seed translations come from.

    ``kind``: ``lexicon`` (a lexicon table, source words English), ``dictionary`` (a text file, English word first) or
    ``identical`` (words spelled alike in both vocabularies, numerals included). ``path``: the file of the first two.
    """

    kind: str
    path: str


IDENTICAL: SeedPairs = {"kind": "identical"}


def align_vectors(
    *,
    vectors: str | Path,
    target: str | Path,
    out: str | Path,
    seed_pairs: SeedPairs = IDENTICAL,
    refinements: int = 3,
    criterion: Criterion = "csls",
    csls_k: int = 10,
    refine_words: int = 15_000,
    threads: int = 1,
) -> dict[str, Any]:
    """Write the store ``out`` (prefix): ``vectors`` turned into the space of ``target``, words and norms unchanged.

    ``<out>.json`` records the method, seed pairs given and usable, and for each round the pairs it was fitted on and
    their mean cosine after the fit; ``orthogonality`` is the largest entry of ``|W'W - I|``.

    Args:
        vectors: the store to turn.
        target: the store whose space is kept (English).
        out: the store to write, beside it a .json record.
        seed_pairs: a lexicon (.parquet), a dictionary (`english foreign` a line), or the word identical (default);
            pairs that are not both single known words are left out.
        refinements: rounds after the first, on mutual best pairs among the most frequent words.
        criterion: neighbours in those rounds; nn: cosine.
        csls_k: neighbours in the CSLS correction.
        refine_words: most frequent words that take part in those rounds.
        threads: of the search.

    Raises:
        UserError: a file is missing or unreadable, dimensions differ, or no seed pair is usable.
    """
    foreign, english = load_vectors(vectors), load_vectors(target)
    if foreign.matrix.shape[1] != english.matrix.shape[1]:
        problem = f"{foreign.matrix.shape[1]} dimensions, {target} has {english.matrix.shape[1]}"
        raise UserError(vectors, "", problem, "read or train both with the same dimensions")
    given, rows, english_rows = _seed_rows(seed_pairs, foreign, english, str(vectors))
    seeds = {"kind": seed_pairs["kind"], "given": given, "usable": len(rows)}
    turn, fit = _fitted(foreign.matrix[rows], english.matrix[english_rows])
    rounds = [fit]
    for _ in range(refinements):
        turned, kept = _turned(foreign.matrix[:refine_words], turn), english.matrix[:refine_words]
        matcher = Matcher(turned, kept, criterion, neighbours=csls_k, threads=threads)
        found = matcher.best_targets()[1][:, 0]
        mutual = np.flatnonzero(matcher.mutual(found))
        turn, fit = _fitted(foreign.matrix[mutual], english.matrix[found[mutual]])
        rounds.append(fit)
    write_vectors(out, foreign.words, _turned(foreign.matrix, turn), foreign.norms)
    record = {
        "method": "procrustes",
        "criterion": criterion,
        "seed_pairs": seeds,
        "rounds": rounds,
        "orthogonality": float(np.abs(turn.T @ turn - np.eye(len(turn))).max()),
        "words": len(foreign.words),
        "dimensions": foreign.matrix.shape[1],
    }
    write_record(out, record)
    return record


def _row_numbers(words: list[str]) -> dict[str, int]:
    """Row of each look-up key; of words with one key the most frequent counts."""
    return {key(words[row]): row for row in reversed(range(len(words)))}


def _seed_rows(seed_pairs: SeedPairs, foreign: Vectors, english: Vectors, vectors: str) -> tuple[int, Indices, Indices]:
    """How many seed pairs are given, and the rows (foreign, English) of the distinct ones that both stores know."""
    foreign_rows, english_rows = _row_numbers(foreign.words), _row_numbers(english.words)
    kind = seed_pairs["kind"]
    if kind == "identical":
        given = [(word, word) for word in english_rows if word in foreign_rows]
    elif kind == "dictionary":
        given = [(source, key(target)) for source, target in read_pairs(seed_pairs["path"])]
    elif kind == "lexicon":
        table = read_table(seed_pairs["path"], LEXICON).filter(pl.col("rank") == 1)
        given = [(source, key(target)) for source, target in table.select("source", "target").iter_rows()]
    else:
        raise UserError("seed_pairs", "kind", f"{kind!r} is not known", "write lexicon, dictionary or identical")
    known = {(foreign_rows[b], english_rows[a]) for a, b in given if a in english_rows and b in foreign_rows}
    place = seed_pairs.get("path", vectors)
    if not known:
        problem = f"none of the {len(given)} {kind} seed pairs has both words in the vectors"
        raise UserError(place, "", problem, "give a dictionary of single words, English first")
    if len(known) < FEW_PAIRS:
        print(f"{place}: warning: only {len(known)} usable seed pairs; expect a poor alignment", file=sys.stderr)
    pairs = np.array(sorted(known), dtype=np.int64)
    return len(given), pairs[:, 0], pairs[:, 1]


def _fitted(foreign: Floats, english: Floats) -> tuple[NDArray[np.float64], dict[str, float]]:
    """The orthogonal W, float64 ``(d, d)``, that brings ``foreign @ W`` closest to ``english``, both ``(pairs, d)``."""
    left, _, right = np.linalg.svd(foreign.astype(np.float64).T @ english.astype(np.float64))
    turn = np.asarray(left @ right)
    cosine = np.einsum("ij,ij->i", _turned(foreign, turn), english).mean(dtype=np.float64)
    return turn, {"pairs": len(foreign), "mean_cosine": round(float(cosine), 6)}


def _turned(matrix: Floats, turn: NDArray[np.float64]) -> Floats:
    """Rows of ``matrix`` turned and made unit length again (float32 rounding aside they are)."""
    turned = matrix @ turn.astype(np.float32)
    return np.asarray(turned / np.linalg.norm(turned, axis=1, keepdims=True), dtype=np.float32)
