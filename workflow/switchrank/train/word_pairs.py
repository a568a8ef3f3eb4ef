"""The word pairs of lexicons that a model is taught, and those that it is judged by: no word is among both."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.ragged import Numbers
from switchrank.core.seeds import generator
from switchrank.formats.tables import LEXICON, read_table
from switchrank.models.encode import distinct_texts


@dataclass(frozen=True)
class WordPairs:
    """Distinct pairs of different words.

    Attributes:
        words: the distinct words, of all languages.
        trained_on, held_out: numbers of the two words of each pair, int64 ``(pairs, 2)``, in the order of a draw.
        unchanged: pairs that were left out, as their words are equal.
        left_out: pairs that are in neither part, as one of their words is held out.
    """

    words: pl.Series
    trained_on: Numbers
    held_out: Numbers
    unchanged: int
    left_out: int


def draw_words(paths: Sequence[str | Path], *, translations: int, held_out: int, seed: int) -> WordPairs:
    """The pairs of some ``LEXICON`` tables that are trained on, and those that are held out of them.

    Args:
        translations: of a word in a table at most, the best ones.
        held_out: pairs that are held out, a tenth at most.
        seed: of what is held out.

    Raises UserError for a damaged table, or fewer than two pairs in either part.
    """
    columns = ["source", "target"]
    tables = [read_table(path, LEXICON).filter(pl.col("rank") <= translations) for path in paths]
    frame = pl.concat(tables).select(columns).unique(maintain_order=True)
    changed = frame.filter(pl.col("source") != pl.col("target"))
    words, numbers = distinct_texts(pl.concat([changed["source"], changed["target"]]))
    pairs = numbers.reshape(2, -1).T[generator(seed, "words").permutation(len(changed))]
    first = max(0, len(pairs) - min(held_out, max(2, len(pairs) // 10)))
    pool, judged = pairs[:first], pairs[first:]
    kept = pool[~np.isin(pool, judged).any(axis=1)]
    if min(len(kept), len(judged)) < 2:
        problem = f"too few pairs of different words ({len(changed)}) to train on some and judge by others"
        raise UserError(paths[0], "", problem, "give lexicons with more")
    return WordPairs(words, kept, judged, len(frame) - len(changed), len(pool) - len(kept))


def sharing_words(pairs: Numbers) -> NDArray[np.bool_]:
    """Which of some pairs ``(n, 2)`` have a word in common, ``(n, n)``: neither is a negative of the other."""
    shared: NDArray[np.bool_] = (pairs[:, None, :, None] == pairs[None, :, None, :]).any(axis=(2, 3))
    return shared
