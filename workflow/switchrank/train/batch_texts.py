"""The texts of a batch of units: queries, passages, hard negatives, and the same texts in another language."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from switchrank.core.ragged import Numbers
from switchrank.core.seeds import counter_uniform, derive_seed
from switchrank.train.parallel import ParallelPairs


@dataclass(frozen=True)
class BatchTexts:
    """What a step encodes, and whose texts they are.

    Attributes:
        texts: numbers of texts, int64 ``(rows, columns)``, -1 where there is none: a query, its passage, negatives;
            and where copies are wanted, those of query and passage.
        query: numbers of the ids of queries, int64 ``(rows,)``.
        candidates: numbers of the ids of passage and negatives, int64 ``(rows, 1 + negatives)``, -1 where is none.
    """

    texts: Numbers
    query: Numbers
    candidates: Numbers


class TextFinder:
    """Finds the texts of units; what it draws depends on the seed and the step alone.

    Args:
        negatives: hard negatives of each pair at most: of those of its query that are there in the language of its
            passage, and whose id and text are not in the batch yet.
        copies: whether to find each query and each passage in another language, if it is there in one.
    """

    def __init__(self, pairs: ParallelPairs, seed: int, *, negatives: int, copies: bool) -> None:
        self._pairs, self._count, self._copies = pairs, negatives, copies
        self._seeds = {what: derive_seed(seed, "batches", what) for what in ("negatives", "copies")}

    def of(self, step: int, units: Numbers) -> BatchTexts:
        pairs = self._pairs
        numbers, *languages = pairs.parts(units)
        query, passage = pairs.query[numbers], pairs.passage[numbers]
        texts = [pairs.queries[query, languages[0]], pairs.passages[passage, languages[1]]]
        negatives, of_negatives = self._negatives(step, query, passage, languages[1], np.concatenate(texts))
        columns = [*texts, *of_negatives.T]
        if self._copies:
            tables = zip((pairs.queries, pairs.passages), (query, passage), languages, strict=True)
            columns += [self._copy(step, side, table[ids], known) for side, (table, ids, known) in enumerate(tables)]
        candidates = np.concatenate([passage[:, None], negatives], axis=1)
        return BatchTexts(np.stack(columns, axis=1), query, candidates)

    def _negatives(
        self, step: int, query: Numbers, passage: Numbers, languages: Numbers, texts: Numbers
    ) -> tuple[Numbers, Numbers]:
        """The ids of negatives and their texts, ``(rows, negatives)`` each, -1 where a query has no more."""
        ids, found = np.full((2, len(query), self._count), -1, np.int64)
        taken, taken_texts = {*passage.tolist()}, {*texts.tolist()}
        draws = counter_uniform(self._seeds["negatives"], step, np.arange(len(query)))
        for row in range(len(query) if self._count else 0):
            every, place = self._pairs.negatives(int(query[row])), 0
            for one in np.roll(every, -int(draws[row] * len(every))).tolist():
                text = int(self._pairs.passages[one, languages[row]])
                if text < 0 or one in taken or text in taken_texts:
                    continue
                ids[row, place], found[row, place] = one, text
                taken.add(one)
                taken_texts.add(text)
                place += 1
                if place == self._count:
                    break
        return ids, found

    def _copy(self, step: int, side: int, versions: Numbers, languages: Numbers) -> Numbers:
        """Of the texts of some ids, ``(rows, L)``, one in another language than the given ones; -1 where none is."""
        others: NDArray[np.bool_] = (versions >= 0) & (np.arange(versions.shape[1]) != languages[:, None])
        draws = counter_uniform(self._seeds["copies"], step, side, np.arange(len(versions)))
        wanted = (draws * others.sum(1)).astype(np.int64) + 1
        chosen = np.argmax(np.cumsum(others, axis=1) >= wanted[:, None], axis=1)
        return np.where(others.any(1), versions[np.arange(len(versions)), chosen], -1)
