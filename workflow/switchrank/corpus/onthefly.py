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
from switchrank.corpus.unwritten import open_record
from switchrank.models.encode import Texts, distinct_texts, tokenise
from switchrank.switching.recipe import SIDES


class SwitchedPairs:
    """Query-passage pairs that are switched on the fly; training reads them as :class:`switchrank.train.batches.Pairs`.

    Beside the token tables, an instance takes 20 bytes of memory: texts and token ids are held for the pairs of the
    next steps only. ``paths`` names the record of one corpus; UserError for several, for one without pairs, or as
    :func:`switchrank.corpus.unwritten.open_record`. ``label`` is float32, 0 or 1.
    """

    def __init__(self, paths: Sequence[str | Path]) -> None:
        if len(paths) > 1:
            raise UserError(paths[1], "", "a second corpus beside one that is switched on the fly", "give one")
        self._switching = open_record(paths[0])
        rows = self._switching.rows
        if not rows:
            raise UserError(paths[0], "", "no training pairs", "check the corpus stage's inputs")
        label = pl.col("label").cast(pl.Float32)
        kept = [pl.col("instance").cast(pl.UInt64), pl.col(*SIDES).cast(pl.Int32), label]
        parts = []
        with progress(total=rows, what="instances", unit="instances") as bar:
            for part in self._switching.parts(0, rows):
                parts.append(part.select(kept))
                bar.update(part.height)
        self._switching.forget_ids()
        pairs = pl.concat(parts).rechunk()
        self.label: NDArray[np.float32] = pairs["label"].to_numpy(writable=True)
        self._pairs = pairs.drop("label")

    def __len__(self) -> int:
        return len(self.label)

    @property
    def queries(self) -> pl.Series:
        """A number for each pair, equal for the pairs of one query."""
        return self._pairs["query"]

    def tokens(self, tokenizer: Any, limit: int) -> SwitchedTokens:
        """Token ids of the pairs by a fast tokenizer, the first ``limit`` of each text."""
        return SwitchedTokens(self, tokenizer, limit)

    def switched(self, rows: Numbers) -> dict[str, pl.Series]:
        """By side, the switched texts of some pairs."""
        part = self._pairs[rows].with_columns(pl.col(*SIDES).cast(pl.Int64))
        blocks = [self._switching.switched(block) for block in self._switching.blocks(part)]
        return {side: pl.concat([block[side] for block in blocks]) for side in SIDES}


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
