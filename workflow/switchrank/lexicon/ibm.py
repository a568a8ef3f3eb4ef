"""Word alignment by IBM model 1 with a positional prior, over the words of many lines at once.

In model 1 each word of a line is made by one word of the line that it translates, or by none (Brown et al. 1993,
"The mathematics of statistical machine translation", section 4.1). Here words near the same relative position are more
likely to make each other, by the prior of fast_align (Dyer, Chahuneau and Smith 2013, "A simple, fast, and effective
reparameterization of IBM model 2", section 2; its strength is fixed, and probabilities are estimated without a prior of
their own). Both directions are learned, and words are linked that choose each other.

A *cell* is a word of a line with a word of its translation. Cells are computed in blocks of whole lines; what stays
between passes is four bytes for each of them, and for each distinct pair of words four in each block and twenty in all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from switchrank.core.progress import progress
from switchrank.core.ragged import Numbers, spans

NO_WORD = 0.08
"""How likely a word is made by none, before anything is known of it, as in fast_align."""
CELLS = 1 << 20
"""Cells of a block, unless one line has more."""
_AT_ONCE = 1 << 20
_MERGED = 1 << 22
_SOURCE, _TARGET = 0, 1

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Rows = NDArray[np.int32]


@dataclass(frozen=True)
class Side:
    """The words of all lines in one language, end to end.

    Attributes:
        words: numbers of words, int32 ``(tokens,)``.
        lengths: words of each line, at least one, int64 ``(lines,)``.
        size: numbers of words are smaller.
    """

    words: Rows
    lengths: Numbers
    size: int

    @cached_property
    def starts(self) -> Numbers:
        """Where each line begins, and where the last one ends; int64 ``(lines + 1,)``."""
        return np.append(0, np.cumsum(self.lengths))


class Links(NamedTuple):
    """How often words are linked: pairs of word numbers, ascending, int32, and at least one time each, int64."""

    source: Rows
    target: Rows
    times: Numbers


def link_words(source: Side, target: Side, *, iterations: int, prior: float, what: str | None = None) -> Links:
    """Align all lines in both directions, and count the links in which both agree.

    Args:
        source: the lines in one language.
        target: their translations.
        iterations: rounds of expectation maximisation, of each direction.
        prior: strength of the positional prior, fast_align's tension; 0: none.
        what: names a progress bar.
    """
    lines = list(_cut(source.lengths * target.lengths))
    blocks = [_Block(source, target, some) for some in lines]
    pairs = _numbered(blocks, target.size)
    with progress(total=2 * (iterations + 1) * len(blocks), what=what, unit="block") as bar:
        chosen = [
            _Direction(blocks, pairs[1 - made], made, prior).choices(iterations, bar.update)
            for made in (_SOURCE, _TARGET)
        ]
    linked = np.zeros(len(pairs[0]), dtype=np.int64)
    for block, first, second in zip(blocks, *chosen, strict=True):
        agreed = np.intersect1d(first, second, assume_unique=True)
        linked[block.pairs] += np.bincount(block.pair[agreed], minlength=len(block.pairs))
    found = np.flatnonzero(linked)
    return Links(pairs[_SOURCE][found], pairs[_TARGET][found], linked[found])


def _cut(cells: Numbers) -> Iterator[slice]:
    """Slices of lines that have about :data:`CELLS` cells, or are one line."""
    block = (np.cumsum(cells) - cells) // CELLS
    bounds = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(cells)]
    yield from map(slice, bounds, bounds[1:])


class _Block:
    """Some lines, whose cells go word by word of the target, and within it word by word of the source.

    Attributes:
        words: of the source, and of the target, int32 ``(tokens,)`` each.
        pairs: numbers of the distinct pairs of words in the block, ascending, int32.
        pair: which of them each cell is, int32 ``(cells,)``.
    """

    pairs: Rows
    pair: Rows

    def __init__(self, source: Side, target: Side, lines: slice) -> None:
        sides = source, target
        self._size = target.size
        self._lengths = [side.lengths[lines] for side in sides]
        self.words = [side.words[side.starts[lines.start] : side.starts[lines.stop]] for side in sides]

    def cells(self) -> tuple[Numbers, Numbers]:
        """The places in :attr:`words` of both words of each cell; int64 ``(cells,)``."""
        source, target = self._lengths
        line = np.repeat(np.arange(len(target)), target)
        others = source[line]
        return spans((np.cumsum(source) - source)[line], others), np.repeat(np.arange(len(line)), others)

    def keys(self) -> Numbers:
        """A number for the two words of each cell; int64 ``(cells,)``."""
        source, target = self.cells()
        keys: Numbers = self.words[_SOURCE][source].astype(np.int64) * self._size + self.words[_TARGET][target]
        return keys

    def nearness(self, cells: tuple[Numbers, Numbers], prior: float) -> Singles:
        """``exp(-prior |i / m - j / n|)`` for word i of m and word j of n, counted from 1; float32 ``(cells,)``."""
        source, target = (_positions(lengths)[places] for lengths, places in zip(self._lengths, cells, strict=True))
        near: Singles = np.exp(-np.float32(prior) * np.abs(source - target))
        return near


def _positions(lengths: Numbers) -> Singles:
    places: Numbers = spans(np.ones_like(lengths), lengths)
    return (places / np.repeat(lengths, lengths)).astype(np.float32)


def _numbered(blocks: Sequence[_Block], size: int) -> tuple[Rows, Rows]:
    """Number the distinct pairs of words in each block; the words of all pairs, of both sides, ``(pairs,)``."""
    keys = _merged(_distinct(block.keys()) for block in blocks)
    for block in blocks:
        own, pair = np.unique(block.keys(), return_inverse=True)
        block.pairs, block.pair = np.searchsorted(keys, own).astype(np.int32), pair.astype(np.int32)
    return (keys // size).astype(np.int32), (keys % size).astype(np.int32)


def _merged(some: Iterable[Numbers]) -> Numbers:
    """The distinct numbers in arrays, ascending; no more wait to be merged than are merged already, or a few."""
    merged, waiting = np.empty(0, dtype=np.int64), list[Numbers]()
    for numbers in some:
        waiting.append(numbers)
        if sum(map(len, waiting)) > max(len(merged), _MERGED):
            merged, waiting = _distinct(np.concatenate([merged, *waiting])), []
    return _distinct(np.concatenate([merged, *waiting]))


def _distinct(numbers: Numbers) -> Numbers:
    """The distinct ones of some numbers, ascending; sorting is faster than the hash table of ``np.unique``."""
    ascending = np.sort(numbers)
    first = np.append(True, ascending[1:] != ascending[:-1])[: len(ascending)]
    distinct: Numbers = ascending[first]
    return distinct


class _Direction:
    """How likely the words of one side are made by those of the other."""

    def __init__(self, blocks: Sequence[_Block], makers: Rows, made: int, prior: float) -> None:
        self._blocks, self._makers, self._made, self._prior = blocks, makers, made, prior
        self._by_word = np.ones(len(makers), dtype=np.float32)
        self._by_none = np.ones(max(int(block.words[made].max()) for block in blocks) + 1)

    def choices(self, iterations: int, done: Callable[[], object]) -> list[Numbers]:
        """Learn, then choose for each word of each block the cell that makes it, if one does; int64 ``(chosen,)``."""
        for _ in range(iterations):
            self._learn(done)
        return [self._choose(block, done) for block in self._blocks]

    def _weights(self, block: _Block) -> tuple[Numbers, Floats, Floats]:
        """The word each cell would make, the weight of each cell, and the weight for each word that none makes it."""
        cells = block.cells()
        word, near = cells[self._made], block.nearness(cells, self._prior)
        scale = (1 - NO_WORD) / np.bincount(word, near)
        weights = self._by_word[block.pairs][block.pair] * near * scale[word]
        return word, weights, NO_WORD * self._by_none[block.words[self._made]]

    def _learn(self, done: Callable[[], object]) -> None:
        """One round of expectation maximisation."""
        by_word, by_none = np.zeros(len(self._by_word)), np.zeros(len(self._by_none))
        for block in self._blocks:
            word, weights, none = self._weights(block)
            share = 1 / (np.bincount(word, weights) + none)
            by_word[block.pairs] += np.bincount(block.pair, weights * share[word], minlength=len(block.pairs))
            by_none += np.bincount(block.words[self._made], none * share, minlength=len(by_none))
            done()
        self._by_none = by_none / by_none.sum()
        parts = [slice(start, start + _AT_ONCE) for start in range(0, len(by_word), _AT_ONCE)]
        size = int(self._makers.max()) + 1
        totals = np.zeros(size)
        for part in parts:
            totals += np.bincount(self._makers[part], by_word[part], minlength=size)
        for part in parts:
            self._by_word[part] = by_word[part] / totals[self._makers[part]]

    def _choose(self, block: _Block, done: Callable[[], object]) -> Numbers:
        """The first cell of the largest weight for each word that a word makes rather than none."""
        word, weights, none = self._weights(block)
        best = none.copy()
        np.maximum.at(best, word, weights)
        cells = np.flatnonzero((weights == best[word]) & (weights > none[word]))
        done()
        return cells[np.unique(word[cells], return_index=True)[1]]
