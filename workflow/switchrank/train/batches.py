"""Turns the pairs of a corpus into tensors: each distinct text is tokenised once, and batches hold little padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.ragged import Numbers
from switchrank.formats.tables import CORPUS, read_table
from switchrank.models.encode import Texts, assemble, by_length, distinct_texts, read_template, tokenise, truncated
from switchrank.train.method import Budget


class Tokens(Protocol):
    """Token ids of the pairs of a corpus: ``prepare`` makes those of some pairs ready and may drop others;
    ``take`` gives the queries and the passages of pairs that are ready."""

    def prepare(self, rows: Numbers) -> None: ...
    def take(self, rows: Numbers) -> tuple[Texts, Texts]: ...


class Corpus(Protocol):
    """The query-passage pairs that a model is trained on: their labels (0 or 1), a number or id that tells the query of
    each, and the token ids, the first ``limit`` of each text."""

    label: NDArray[np.float32]

    def __len__(self) -> int: ...
    @property
    def queries(self) -> pl.Series: ...
    def tokens(self, tokenizer: Any, limit: int) -> Tokens: ...


class Pairs:
    """A :class:`Corpus` of tables: ``query`` and ``passage`` are numbers of the distinct ``texts`` (int64)."""

    def __init__(self, paths: Sequence[str | Path]) -> None:
        frame = pl.concat([read_table(path, CORPUS) for path in paths])
        if not len(frame):
            raise UserError(paths[0], "", "no training pairs", "check the corpus stage's inputs")
        self.texts, numbers = distinct_texts(pl.concat([frame["query"], frame["passage"]]))
        self.query, self.passage = numbers[: len(frame)], numbers[len(frame) :]
        self.label = frame["label"].to_numpy().astype(np.float32)
        self.frame = frame.select("qid", "pid")

    def __len__(self) -> int:
        return len(self.query)

    @property
    def queries(self) -> pl.Series:
        return self.frame["qid"].cast(pl.Categorical).to_physical()

    def tokens(self, tokenizer: Any, limit: int) -> PairTokens:
        return PairTokens(self, tokenizer, limit)


class TokenStore:
    """Token ids of distinct texts: each is tokenised when first asked for, into one growing array."""

    def __init__(self, texts: pl.Series, tokenizer: Any, limit: int) -> None:
        self._texts, self._tokenizer, self._limit = texts, tokenizer, limit
        self._used = 0
        self._ids: NDArray[np.int32] = np.zeros(1 << 16, np.int32)
        self._starts: Numbers = np.full(len(texts), -1, np.int64)  # -1: not tokenised yet
        self._lengths: Numbers = np.zeros(len(texts), np.int64)

    def prepare(self, numbers: Numbers) -> None:
        missing = np.unique(numbers[self._starts[numbers] < 0])
        if not len(missing):
            return
        new = tokenise(self._tokenizer, self._texts[missing].to_list(), limit=self._limit)
        while self._used + len(new.ids) > len(self._ids):
            self._ids = np.concatenate([self._ids, np.zeros_like(self._ids)])
        self._ids[self._used : self._used + len(new.ids)] = new.ids
        self._starts[missing] = self._used + new.starts
        self._lengths[missing] = new.lengths
        self._used += len(new.ids)

    def take(self, numbers: Numbers) -> Texts:
        """Those of texts that are ready."""
        return Texts(self._ids, self._starts, self._lengths).take(numbers)


class PairTokens:
    """The :class:`Tokens` of pairs."""

    def __init__(self, pairs: Pairs, tokenizer: Any, limit: int) -> None:
        self._pairs, self._store = pairs, TokenStore(pairs.texts, tokenizer, limit)

    def prepare(self, rows: Numbers) -> None:
        self._store.prepare(np.concatenate([self._pairs.query[rows], self._pairs.passage[rows]]))

    def take(self, rows: Numbers) -> tuple[Texts, Texts]:
        return self._store.take(self._pairs.query[rows]), self._store.take(self._pairs.passage[rows])


@dataclass(frozen=True)
class MicroBatch:
    """``inputs`` (what the model's forward takes, int64 ``(n, longest)``) and the numbers of its pairs."""

    inputs: dict[str, torch.Tensor]
    rows: Numbers


class Batcher:
    """Makes padded tensors of any pairs, of at most ``max_length`` tokens each, special ones included.

    A micro-batch has at most ``token_budget`` padded tokens, or is a single pair or group that has more; the attribute
    ``budget`` may be lowered between batches.
    """

    def __init__(self, pairs: Corpus, tokenizer: Any, *, max_length: int, truncation: str, token_budget: int) -> None:
        self._truncation = truncation
        self.budget = Budget(token_budget, max_length, "token budget", "tokens", "lower max_length")
        self._template = read_template(tokenizer)
        self._room = max_length - self._template.specials
        self._tokens = pairs.tokens(tokenizer, self._room)

    def prepare(self, rows: Numbers) -> None:
        """Tokenise the texts of these pairs all at once, which is faster than batch by batch."""
        self._tokens.prepare(rows)

    def split(self, rows: Numbers, sizes: Numbers | None = None) -> Iterator[MicroBatch]:
        """The pairs ``rows`` as micro-batches; see :func:`switchrank.models.encode.by_length` for ``sizes``."""
        self.prepare(rows)
        queries, passages = truncated(*self._tokens.take(rows), room=self._room, truncation=self._truncation)
        for some in by_length(queries.lengths + passages.lengths + self._template.specials, self.budget.size, sizes):
            arrays = assemble(self._template, queries.take(some), passages.take(some))
            yield MicroBatch({name: torch.from_numpy(array) for name, array in arrays.items()}, rows[some])
