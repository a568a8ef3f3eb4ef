"""Which pairs make up a training batch, and in which language each of their sides is.

The kinds of batches are those of LAReQA (Roy et al. 2020, arXiv 2004.05484), and ``hybrid`` ones mix them (arXiv
2408.10536). What is drawn for a step depends on the seed and its number alone. Pairs are drawn apart from languages:
where all pairs are there in all languages, batches of every kind hold the same pairs at the same steps.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from switchrank.core.errors import UserError
from switchrank.core.ragged import Numbers
from switchrank.core.seeds import counter_uniform, derive_seed
from switchrank.train.parallel import ParallelPairs
from switchrank.train.units import Order

Mixture = Literal["mono", "cross", "hybrid", "mixed"]
Scope = Literal["row", "batch"]
Weights = Literal["uniform", "size"]


@dataclass(frozen=True)
class Batches:
    """How batches are composed.

    Attributes:
        mixture: ``mono``: all of a batch in one language; ``cross``: query and passage in different languages;
            ``hybrid``: each batch is one of the two; ``mixed``: query and passage in one language, another in each row.
        mono: the share of mono batches in ``hybrid``.
        cross: the two languages of a cross batch are drawn for each ``row`` or for the whole ``batch``.
        languages: are drawn ``uniform``, or in proportion to their ``size``: the pairs they have.
    """

    mixture: Mixture = "mono"
    mono: float = 0.5
    cross: Scope = "row"
    languages: Weights = "uniform"


class _Choice:
    """The language pairs that a batch or a row may have, each with a probability."""

    def __init__(self, counts: Numbers, weights: Weights) -> None:
        self.pairs: Numbers = np.argwhere(counts)
        sizes = counts[tuple(self.pairs.T)]
        shares = np.cumsum(sizes if weights == "size" else np.ones(len(sizes)))
        self._ends = shares / shares[-1] if len(shares) else shares

    def drawn(self, draws: np.ndarray) -> Numbers:
        """Those that draws from [0, 1) come to, ``(n, 2)``."""
        return self.pairs[np.searchsorted(self._ends, draws, side="right")]


class Composer(Order):
    """The units of each step: exactly ``size`` pairs, no text twice.

    In a batch no query and no passage comes twice, in whatever language, nor do two that have the same text.

    Raises:
        UserError: no pair has the languages that are asked for, or too few have for a batch.
    """

    def __init__(self, pairs: ParallelPairs, size: int, seed: int, batches: Batches) -> None:
        super().__init__(len(pairs), size, seed)
        self._pairs, self._batches = pairs, batches
        self._seeds = {what: derive_seed(seed, "batches", what) for what in ("kind", "languages", "pairs")}
        counts = pairs.counts()
        same = np.eye(len(counts), dtype=np.bool_)
        self._same, self._different = (_Choice(counts * part, batches.languages) for part in (same, ~same))
        if batches.mixture != "cross" and (batches.mono or batches.mixture != "hybrid"):
            self._check(self._same, "query and passage in one language", whole=batches.mixture != "mixed")
        if batches.mixture == "cross" or (batches.mixture == "hybrid" and batches.mono < 1):
            self._check(self._different, "query and passage in two languages", whole=batches.cross == "batch")

    def _check(self, choice: _Choice, what: str, *, whole: bool) -> None:
        """Raise UserError where no batch can be had; ``whole`` ones are in languages that are drawn once."""
        pairs, source, size = self._pairs, self._pairs.source, self._size
        if not len(choice.pairs):
            problem = f"no pair has {what}, of {', '.join(pairs.languages)}"
            raise UserError(
                source, "batches", problem, "give tables of more languages with equal ids, or other batches"
            )
        every = np.arange(len(pairs))
        some = [pairs.has(every, *both) for both in choice.pairs]
        for there, both in zip(some if whole else [np.any(some, axis=0)], choice.pairs, strict=False):
            found = min(len(np.unique(side[there])) for side in (pairs.query, pairs.passage))
            if found < size:
                named = f" in {self._named(both)}" if whole else ""
                problem = f"{found} distinct pairs{named}, fewer than a batch of {size}"
                raise UserError(source, "batch_size", problem, "lower it, or leave that language out")

    def _named(self, languages: Numbers) -> str:
        query, passage = (self._pairs.languages[number] for number in languages)
        return query if query == passage else f"{query}-{passage}"

    def rows(self, first: int, last: int) -> Numbers:
        """The units of steps ``first`` to ``last``, ``last`` not included."""
        return np.concatenate([self._composed(step) for step in range(first, last)])

    def _composed(self, step: int) -> Numbers:
        wanted = self._languages(step)
        return self._pairs.units(self._filled(step, wanted), wanted)

    def _languages(self, step: int) -> Numbers:
        """The languages of the queries and passages of a step, ``(size, 2)``."""
        batches = self._batches
        kind = batches.mixture
        if kind == "hybrid":
            kind = "mono" if counter_uniform(self._seeds["kind"], step) < batches.mono else "cross"
        choice = self._different if kind == "cross" else self._same
        whole = kind == "mono" or (kind == "cross" and batches.cross == "batch")
        draws = counter_uniform(self._seeds["languages"], step, np.arange(self._size))
        return choice.drawn(np.repeat(draws[:1], self._size) if whole else draws)

    def _filled(self, step: int, wanted: Numbers) -> Numbers:
        """A pair for each row: candidates go to the first free row whose languages they have."""
        pairs, taken = self._pairs, set[tuple[str, int]]()
        filled, free = np.full(len(wanted), -1, np.int64), np.arange(len(wanted))
        for pair in self._candidates(step, np.unique(wanted, axis=0)):
            query, passage = pairs.query[pair], pairs.passage[pair]
            texts = pairs.queries[query, wanted[free, 0]], pairs.passages[passage, wanted[free, 1]]
            fits = np.flatnonzero((texts[0] >= 0) & (texts[1] >= 0))
            if not len(fits):
                continue
            ids = {("query", int(query)), ("passage", int(passage)), *(("text", int(side[fits[0]])) for side in texts)}
            if taken.isdisjoint(ids):
                taken |= ids
                filled[free[fits[0]]] = pair
                free = np.delete(free, fits[0])
            if not len(free):
                return filled
        languages = ", ".join(dict.fromkeys(self._named(both) for both in wanted[free]))
        problem = f"{len(free)} of {len(wanted)} rows in {languages} cannot be filled without a text twice"
        raise UserError(pairs.source, f"step {step}", problem, "lower batch_size, or give more pairs")

    def _candidates(self, step: int, wanted: Numbers) -> Iterator[int]:
        """Pairs as they are drawn, with repeats, of those that have wanted languages; when all are likely to have been
        drawn, all of them."""
        count, begin, end = len(self._pairs), 0, 2 * self._size
        most = math.ceil(count * (math.log(self._size) + 10))
        while begin < most:
            draws = counter_uniform(self._seeds["pairs"], step, np.arange(begin, end))
            yield from self._having((draws * count).astype(np.int64), wanted)
            begin, end = end, 3 * end - 2 * begin
        yield from self._having(np.arange(count), wanted)

    def _having(self, pairs: Numbers, wanted: Numbers) -> Iterator[int]:
        there = np.zeros(len(pairs), np.bool_)
        for query, passage in wanted:
            there |= self._pairs.has(pairs, query, passage)
        yield from pairs[there].tolist()
