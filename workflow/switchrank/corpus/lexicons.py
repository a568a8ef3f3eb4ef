"""A lexicon made ready for one token table: its sources as numbers of that table's look-up keys.

Single words are looked up in an array. Sources of several words are a prefix tree with one sorted array per level:
the entry ``(prefix, next key)``, packed into one integer, is found by binary search, for all words of a block at once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.ragged import Numbers
from switchrank.corpus.table import Words
from switchrank.formats.tables import LEXICON, read_table


@dataclass(frozen=True)
class Units:
    """What a lexicon can replace in a text: ``length`` words from word ``start`` on, by one of ``choices`` targets.

    ``target`` is the number of the best target; the others follow it. All arrays are int64, one entry per unit.
    """

    start: Numbers
    length: Numbers
    target: Numbers
    choices: Numbers

    def take(self, which: Numbers | NDArray[np.bool_]) -> Units:
        """Some of the units, by number or by mask."""
        return Units(self.start[which], self.length[which], self.target[which], self.choices[which])

    @staticmethod
    def concatenate(parts: list[Units]) -> Units:
        """The units of all parts, one part after the other."""
        fields = ([part.start, part.length, part.target, part.choices] for part in parts)
        return Units(*(np.concatenate(field) for field in zip(*fields, strict=True)))


@dataclass(frozen=True)
class _Level:
    """Prefixes of one length: packed (shorter prefix, key), ascending, and the entry each one is (0 choices: none)."""

    packed: Numbers
    target: Numbers
    choices: Numbers


def read_sources(path: str | Path, translations: int) -> pl.DataFrame:
    """The sources of a lexicon (``LEXICON``), ascending, with ``words`` and the best translations as ``targets``.

    Raises:
        UserError: the file is missing or not a lexicon.
    """
    rows = read_table(path, LEXICON).filter(pl.col("rank") <= translations).sort("source", "rank")
    sources = rows.group_by("source", maintain_order=True).agg(pl.col("target").alias("targets"))
    return sources.with_columns(words=pl.col("source").str.split(" "))


class Lexicon:
    """The translations into one language of the words of one token table.

    Args:
        sources: see :func:`read_sources`.
        keys: look-up keys that words are numbered by.
        left_out: keys that are not translated as single words.

    Attributes:
        targets: the targets' strings; :class:`Units` number them.
        covered: how many keys are a source or part of one.
        target, choices: int64, per key that is a source by itself: the number of its best target, and how many follow
            each other from there; -1 and 0 for other keys.
        has_phrases: whether a source has several words.
    """

    def __init__(self, sources: pl.DataFrame, keys: pl.Series, left_out: Collection[str]) -> None:
        self._size = len(keys)
        singles, phrases = _keyed(sources, keys)
        targets = pl.concat([singles["targets"], phrases["targets"]])
        self.targets = targets.explode() if len(targets) else pl.Series(dtype=pl.String)
        choices = targets.list.len().cast(pl.Int64).to_numpy()
        target = np.cumsum(choices) - choices
        key = singles["key"].to_numpy()
        self.covered = int(pl.concat([singles["key"], phrases["keys"].explode()]).drop_nulls().n_unique())
        kept = ~singles["source"].is_in(list(left_out)).to_numpy()
        self.target, self.choices = np.full(self._size, -1), np.zeros(self._size, dtype=np.int64)
        self.target[key[kept]] = target[: len(key)][kept]
        self.choices[key[kept]] = choices[: len(key)][kept]
        words = phrases["keys"].list.len().cast(pl.Int64).to_numpy()
        self._levels = _levels(phrases["keys"].to_list(), words, target[len(key) :], choices[len(key) :], self._size)
        self.has_phrases = bool(self._levels)

    def units(self, words: Words, eligible: Numbers) -> Units:
        """What can be replaced: phrases first, the longest first and of equal ones the first, then single words.

        Units start at the words with the numbers ``eligible``, ascending.
        """
        single = eligible[self.choices[words.key[eligible]] > 0]
        key = words.key[single]
        singles = Units(single, np.ones_like(single), self.target[key], self.choices[key])
        if not self.has_phrases:
            return singles
        return without_overlaps(Units.concatenate([*self._phrases(words, eligible), singles]), len(words.key))

    def _phrases(self, words: Words, eligible: Numbers) -> list[Units]:
        found = []
        start, prefix = eligible, words.key[eligible]
        for number, level in enumerate(self._levels, start=1):
            following = start + number
            inside = following < len(words.key)
            inside[inside] = words.joined[following[inside]]
            start, following, prefix = start[inside], following[inside], prefix[inside]
            packed = prefix * self._size + words.key[following]
            at = np.minimum(np.searchsorted(level.packed, packed), len(level.packed) - 1)
            known = level.packed[at] == packed
            start, prefix = start[known], at[known]
            phrases = Units(start, np.full_like(start, number + 1), level.target[prefix], level.choices[prefix])
            found.append(phrases.take(phrases.choices > 0))
        return found


def _keyed(sources: pl.DataFrame, keys: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sources whose words are all among the keys: those of one word with ``key``, those of several with ``keys``."""
    numbers = pl.DataFrame({"word": keys, "key": np.arange(len(keys))})
    single = pl.col("words").list.len() == 1
    singles = sources.filter(single).join(
        numbers, left_on="source", right_on="word", how="inner", maintain_order="left"
    )
    phrases = (
        sources.filter(~single)
        .with_row_index("entry")
        .explode("words")
        .join(numbers, left_on="words", right_on="word", how="left", maintain_order="left")
        .group_by("entry", maintain_order=True)
        .agg(pl.col("key").alias("keys"), pl.col("targets").first())
    )
    known = pl.col("keys").list.eval(pl.element().is_not_null()).list.all()
    return singles, phrases.filter(known)


def _levels(keys: list[list[int]], words: Numbers, target: Numbers, choices: Numbers, size: int) -> list[_Level]:
    phrases = np.flatnonzero(words > 1)
    prefix = np.array([keys[phrase][0] for phrase in phrases], dtype=np.int64)
    levels = []
    for number in range(1, int(words.max(initial=0))):
        longer = words[phrases] > number
        phrases, prefix = phrases[longer], prefix[longer]
        packed = prefix * size + np.array([keys[phrase][number] for phrase in phrases], dtype=np.int64)
        distinct, prefix = np.unique(packed, return_inverse=True)
        complete = words[phrases] == number + 1
        level = _Level(distinct, np.full(len(distinct), -1), np.zeros(len(distinct), dtype=np.int64))
        level.target[prefix[complete]] = target[phrases[complete]]
        level.choices[prefix[complete]] = choices[phrases[complete]]
        levels.append(level)
    return levels


def without_overlaps(units: Units, words: int) -> Units:
    """The units that remain when the longest are taken first, and of equally long ones the first; by ``start``.

    Units of equal length start at distinct ones of the ``words`` words of a text, or of texts laid end to end.
    """
    taken = np.zeros(words + 1, dtype=bool)
    kept = []
    for length in np.unique(units.length)[::-1].tolist():
        candidates = np.flatnonzero(units.length == length)
        candidates = candidates[np.argsort(units.start[candidates], kind="stable")]
        covered = np.cumsum(taken)
        start = units.start[candidates]
        free = covered[start + length - 1] == covered[start] - taken[start]
        candidates = _first_come(units.start, candidates[free], length)
        taken[(units.start[candidates][:, None] + np.arange(length)).ravel()] = True
        kept.append(candidates)
    chosen = np.concatenate(kept) if kept else np.empty(0, dtype=np.int64)
    return units.take(chosen[np.argsort(units.start[chosen], kind="stable")])


def _first_come(start: Numbers, candidates: Numbers, length: int) -> Numbers:
    """Of candidates by ascending start, each that overlaps no earlier one taken."""
    taken = []
    while len(candidates):
        begin = start[candidates]
        leads = np.diff(begin, prepend=begin[0] - length) >= length
        taken.append(candidates[leads])
        leader = begin[leads][np.cumsum(leads) - 1]
        candidates = candidates[begin - leader >= length]
    return np.concatenate(taken) if taken else candidates
