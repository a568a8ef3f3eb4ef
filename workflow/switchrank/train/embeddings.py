"""Word embeddings of a model from aligned word vectors, so that translations start close together.

A piece that is a word takes the word's vector, any other piece the frequency-weighted mean over the words it is part
of.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from switchrank.formats.vectors import load_vectors

Matrix = NDArray[np.float32]
Cut = Callable[[Sequence[str]], list[list[int]]]
_WORDS = 100_000
"""Words read per language, the most frequent first."""


class Means:
    """Weighted means of rows per piece: over words that are this piece alone if there are any, else over all."""

    def __init__(self, pieces: int, dim: int) -> None:
        self._sums = np.zeros((2, pieces, dim))
        self._weights = np.zeros((2, pieces))

    def add(self, cut: list[list[int]], rows: Matrix, weights: NDArray[np.float64]) -> None:
        lengths = np.array([len(ids) for ids in cut])
        row = np.repeat(np.arange(len(cut)), lengths)
        piece = np.array([number for ids in cut for number in ids], dtype=np.int64)
        parts = (lengths[row] > 1).astype(np.int64)
        np.add.at(self._sums, (parts, piece), weights[row, None] * rows[row])
        np.add.at(self._weights, (parts, piece), weights[row])

    def best(self) -> tuple[Matrix, NDArray[np.bool_]]:
        """The mean of each piece, float32, and a mask of the pieces that have one."""
        alone = self._weights[0] > 0
        sums = np.where(alone[:, None], self._sums[0], self._sums[1])
        weights = np.where(alone, self._weights[0], self._weights[1])
        found = weights > 0
        return (sums / np.where(found, weights, 1.0)[:, None]).astype(np.float32), found


def translated_rows(
    old: Matrix, sources: Sequence[list[int]], targets: list[list[int]], ranks: NDArray[np.integer], pieces: int
) -> tuple[Matrix, NDArray[np.bool_]]:
    """Embeddings ``(pieces, d)`` of the pieces of target words from a lexicon, and a mask of those that have one.

    A word counts as the mean of the ``old`` rows of its translation's pieces, a translation of rank r as 1 / r.
    """
    rows = np.array([old[ids].mean(axis=0) if ids else np.zeros(old.shape[1]) for ids in sources])
    means = Means(pieces, old.shape[1])
    means.add(targets, rows.astype(np.float32), 1.0 / ranks)
    return means.best()


def _unit(rows: NDArray[np.floating]) -> Matrix:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(norms > 0, norms, 1.0)).astype(np.float32)


def cutter(tokenizer: Any) -> Cut:
    """A function that cuts words into the numbers of their pieces, without special tokens."""

    def cut(words: Sequence[str]) -> list[list[int]]:
        encoded = tokenizer.backend_tokenizer.encode_batch_fast(list(words), add_special_tokens=False)
        return [encoding.ids for encoding in encoded]

    return cut


def piece_vectors(vectors: Mapping[str, str | Path], cut: Cut, pieces: int) -> tuple[Matrix, NDArray[np.bool_]]:
    """Unit vectors of subword pieces, float32 ``(pieces, d)``, and a mask of those that have one; other rows are zero.

    They come from the aligned word vectors of each language, given by the prefix of its store. Words are weighted by
    Zipf's law (1 / rank). Each language's weighted mean is taken off first: what all words of a language share tells
    languages apart, not meanings.
    """
    means: Means | None = None
    for _, prefix in sorted(vectors.items()):
        store = load_vectors(prefix)
        words = store.words[:_WORDS]
        rows = _unit(np.asarray(store.matrix[: len(words)]))
        weights = 1.0 / np.arange(1, len(words) + 1)
        rows = _unit(rows - np.average(rows, axis=0, weights=weights))
        means = means or Means(pieces, rows.shape[1])
        means.add(cut(words), rows, weights)
    if means is None:
        return np.zeros((pieces, 1), np.float32), np.zeros(pieces, bool)
    rows, found = means.best()
    return _unit(rows), found


def fit_width(rows: Matrix, width: int, rotation: Matrix) -> Matrix:
    """Rows ``(n, d)`` as unit rows ``(n, width)``: principal components when narrower, zeros appended when wider.

    They are multiplied by ``rotation``, orthogonal ``(width, width)``, which spreads them over all attention heads.
    """
    if rows.shape[1] > width:
        _, axes = np.linalg.eigh(rows.T.astype(np.float64) @ rows)
        rows = (rows @ axes[:, ::-1][:, :width]).astype(np.float32)
    padded = np.pad(rows, ((0, 0), (0, width - rows.shape[1])))
    return _unit(padded @ rotation)


def mix(current: Matrix, rows: Matrix, found: NDArray[np.bool_], share: float) -> Matrix:
    """Embeddings ``(n, width)`` of which ``share`` of the norm comes from unit ``rows``, where they are ``found``.

    The rest, sqrt(1 - share ** 2) of the norm, is the random direction of ``current``, whose scale stays.
    """
    scale = np.float32(np.sqrt(np.mean(np.square(current)) * current.shape[1]))
    blended = scale * (np.float32(share) * rows + np.float32(np.sqrt(1 - share**2)) * _unit(current))
    return np.where(found[:, None], blended, current).astype(np.float32)
