"""Training pairs that are switched when training reaches them: those that a corpus would hold, without its file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.core.ragged import Numbers
from switchrank.corpus.recipe import SIDES
from switchrank.corpus.unwritten import open_record
from switchrank.models.encode import Texts, distinct_texts, tokenise


class SwitchedPairs:
    """Query-passage pairs that are switched on the fly; training reads them as :class:`switchrank.train.batches.Pairs`.

    Beside the token tables, whose pieces lie in a nameless file, an instance takes 20 bytes of memory. Texts and token
    ids are held for the pairs of the next steps only.

    ``label`` is float32, 0 or 1.

    Args:
        paths: the record of one corpus (:func:`switchrank.corpus.unwritten.record_corpus`); UserError for several, none
            with pairs, or as :func:`switchrank.corpus.unwritten.open_record`.
    """

    def __init__(self, paths: Sequence[str | Path]) -> None:
        if len(paths) > 1:
            raise UserError(paths[1], "", "a second corpus beside one that is switched on the fly", "give one")
        self._switching = open_record(paths[0])
        rows, start = self._switching.rows, 0
        if not rows:
            raise UserError(paths[0], "", "no training pairs", "check the corpus stage's inputs")
        self._texts = {side: np.empty(rows, np.int32) for side in SIDES}
        self._instance = np.empty(rows, np.uint64)
        self.label: NDArray[np.float32] = np.empty(rows, np.float32)
        with progress(total=rows, what="instances", unit="instances") as bar:
            for part in self._switching.parts(0, rows):
                stop = start + part.height
                for side in SIDES:
                    self._texts[side][start:stop] = part[side].to_numpy()
                self._instance[start:stop] = part["instance"].to_numpy()
                self.label[start:stop] = part["label"].to_numpy()
                bar.update(part.height)
                start = stop
        self._switching.forget_ids()

    def __len__(self) -> int:
        return len(self.label)

    @property
    def queries(self) -> pl.Series:
        """A number for each pair, equal for the pairs of one query."""
        return pl.Series(self._texts["query"])

    def tokens(self, tokenizer: Any, limit: int) -> SwitchedTokens:
        """Token ids of the pairs by a fast tokenizer, the first ``limit`` of each text."""
        return SwitchedTokens(self, tokenizer, limit)

    def switched(self, rows: Numbers) -> dict[str, pl.Series]:
        """By side, the switched texts of some pairs."""
        wanted = {side: self._texts[side][rows].astype(np.int64) for side in SIDES}
        part = pl.DataFrame({"instance": self._instance[rows], **wanted})
        blocks = [self._switching.switched(block) for block in self._switching.blocks(part)]
        return {side: pl.concat([block[side].texts for block in blocks]) for side in SIDES}


class SwitchedTokens:
    """Token ids of the pairs that were prepared last; arguments as of :meth:`SwitchedPairs.tokens`."""

    def __init__(self, pairs: SwitchedPairs, tokenizer: Any, limit: int) -> None:
        self._pairs, self._tokenizer, self._limit = pairs, tokenizer, limit
        self._rows: Numbers = np.empty(0, np.int64)
        self._texts = Texts(np.empty(0, np.int32), self._rows, self._rows)
        self._numbers: dict[str, Numbers] = {}

    def prepare(self, rows: Numbers) -> None:
        """Switch and tokenise the texts of these pairs in place of those before, unless they are among those."""
        wanted = np.unique(rows)
        if np.isin(wanted, self._rows, assume_unique=True).all():
            return
        texts = self._pairs.switched(wanted)
        distinct, numbers = distinct_texts(pl.concat([texts[side] for side in SIDES]))
        self._texts = tokenise(self._tokenizer, distinct.to_list(), limit=self._limit)
        self._rows = wanted
        self._numbers = dict(zip(SIDES, np.split(numbers, len(SIDES)), strict=True))

    def take(self, rows: Numbers) -> tuple[Texts, Texts]:
        """The queries and the passages of some prepared pairs, a text each."""
        at = np.searchsorted(self._rows, rows)
        query, passage = (self._texts.take(self._numbers[side][at]) for side in SIDES)
        return query, passage
