"""From corpus tables to tensors: each distinct text is tokenised once, batches are padded as little as possible.

The order depends on the seed and the number of units (pairs, or groups of them) only, so that all systems of a seed see
the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from switchrank.encode import Numbers, assemble, read_template, tokenise, truncated
from switchrank.errors import UserError
from switchrank.formats.tables import CORPUS, read_table
from switchrank.seeds import generator
from switchrank.train.groups import by_group


class Pairs:
    """Query-passage pairs of a corpus; texts are kept once each.

    Attributes:
        query, passage: number of the text of each pair, int64.
        label: float32, 0 or 1.
        texts: the distinct texts.
        frame: the corpus columns ``qid`` and ``pid``.
    """

    def __init__(self, paths: Sequence[str | Path]) -> None:
        frame = pl.concat([read_table(path, CORPUS) for path in paths])
        if not len(frame):
            raise UserError(paths[0], "", "no training pairs", "check the corpus stage's inputs")
        both = pl.concat([frame["query"], frame["passage"]]).rename("text").to_frame()
        distinct = both.unique(maintain_order=True).with_row_index("number")
        joined = both.join(distinct, on="text", how="left", maintain_order="left")
        numbers = joined["number"].to_numpy().astype(np.int64)
        self.texts = distinct["text"]
        self.query, self.passage = numbers[: len(frame)], numbers[len(frame) :]
        self.label = frame["label"].to_numpy().astype(np.float32)
        self.frame = frame.select("qid", "pid")

    def __len__(self) -> int:
        return len(self.query)


class TokenStore:
    """Token ids of texts, tokenised when first asked for, in one growing array.

    Args:
        texts: distinct texts.
        tokenizer: a fast tokenizer.
        limit: token ids kept per text.

    Attributes:
        ids: token ids, end to end, int32; those of text i begin at ``starts[i]`` (-1: not tokenised yet).
        lengths: those of the whole texts, which decide what side of a pair is cut.
    """

    def __init__(self, texts: pl.Series, tokenizer: Any, limit: int) -> None:
        self._texts, self._tokenizer, self._limit = texts, tokenizer, limit
        self._used = 0
        self.ids: NDArray[np.int32] = np.zeros(1 << 16, np.int32)
        self.starts: Numbers = np.full(len(texts), -1, np.int64)
        self.lengths: Numbers = np.zeros(len(texts), np.int64)

    def prepare(self, numbers: Numbers) -> None:
        """Tokenise those texts that have not been yet."""
        missing = np.unique(numbers[self.starts[numbers] < 0])
        if not len(missing):
            return
        new = tokenise(self._tokenizer, self._texts[missing].to_list(), limit=self._limit)
        while self._used + len(new.ids) > len(self.ids):
            self.ids = np.concatenate([self.ids, np.zeros_like(self.ids)])
        self.ids[self._used : self._used + len(new.ids)] = new.ids
        self.starts[missing] = self._used + new.starts
        self.lengths[missing] = new.lengths
        self._used += len(new.ids)


@dataclass(frozen=True)
class MicroBatch:
    """``inputs`` (what the model's forward takes, int64 ``(n, longest)``) and the numbers of its pairs."""

    inputs: dict[str, torch.Tensor]
    rows: Numbers


class Batcher:
    """Makes padded tensors of any pairs.

    Args:
        pairs: the corpus.
        tokenizer: a fast tokenizer.
        max_length: tokens per pair, special ones included.
        truncation: see :func:`switchrank.encode.truncated`.
        token_budget: padded tokens per micro-batch; a single pair or group that has more still is one.

    Attributes:
        token_budget: may be lowered between batches.
    """

    def __init__(self, pairs: Pairs, tokenizer: Any, *, max_length: int, truncation: str, token_budget: int) -> None:
        self._pairs, self.token_budget, self._truncation = pairs, token_budget, truncation
        self._template = read_template(tokenizer)
        self._room = max_length - self._template.specials
        self._store = TokenStore(pairs.texts, tokenizer, self._room)

    def prepare(self, rows: Numbers) -> None:
        """Tokenise the texts of these pairs all at once, which is faster than batch by batch."""
        self._store.prepare(np.concatenate([self._pairs.query[rows], self._pairs.passage[rows]]))

    def split(self, rows: Numbers, sizes: Numbers | None = None) -> Iterator[MicroBatch]:
        """The pairs ``rows`` as micro-batches of similar length, the longest first.

        Args:
            rows: numbers of pairs.
            sizes: how many that follow one another stay together, int64, summing to all; ``None`` = each alone.
        """
        self.prepare(rows)
        whole = np.ones(len(rows), np.int64) if sizes is None else sizes
        store, query, passage = self._store, self._pairs.query[rows], self._pairs.passage[rows]
        kept = truncated(store.lengths[query], store.lengths[passage], room=self._room, truncation=self._truncation)
        for some in by_group(kept[0] + kept[1] + self._template.specials, whole, self.token_budget):
            queries = (store.ids, store.starts[query[some]], kept[0][some])
            passages = (store.ids, store.starts[passage[some]], kept[1][some])
            arrays = assemble(self._template, queries, passages)
            yield MicroBatch({name: torch.from_numpy(array) for name, array in arrays.items()}, rows[some])


class Order:
    """Which units (pairs, or groups) each optimiser step sees: a new seeded permutation per pass over the corpus.

    Args:
        count: number of units.
        batch_size: units per step; a batch may run over the end of a pass.
        seed: seed of the run.
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self._count, self._size, self._seed = count, batch_size, seed
        self._passes: dict[int, Numbers] = {}

    def rows(self, first: int, last: int) -> Numbers:
        """Numbers of the units of steps ``first`` to ``last``, both counted from 0, ``last`` not included."""
        begin, end = first * self._size, last * self._size
        numbers = range(begin // self._count, (end - 1) // self._count + 1)
        joined = np.concatenate([self._permutation(number) for number in numbers])
        offset = begin - numbers[0] * self._count
        return joined[offset : offset + end - begin]

    def _permutation(self, number: int) -> Numbers:
        if number not in self._passes:
            self._passes = {key: value for key, value in self._passes.items() if key >= number - 1}
            self._passes[number] = generator(self._seed, "order", str(number)).permutation(self._count)
        return self._passes[number]
