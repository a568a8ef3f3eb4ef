"""From corpus tables to tensors: each distinct text is cut into pieces once, batches are padded as little as possible.

The order of instances depends on the seed and their number only, so that all systems of a seed see the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from switchrank.errors import UserError
from switchrank.formats.tables import CORPUS, read_table
from switchrank.seeds import generator

Ints = NDArray[np.int64]


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
    """Piece numbers of texts, made when first asked for, in one growing array.

    Args:
        texts: distinct texts.
        tokenizer: a fast tokenizer.
        longest: pieces kept per text; ``length`` holds those of the whole texts.
    """

    def __init__(self, texts: pl.Series, tokenizer: Any, longest: int) -> None:
        self._texts, self._backend, self._longest = texts, tokenizer.backend_tokenizer, longest
        self._backend.no_truncation()
        self._backend.no_padding()
        self._flat: NDArray[np.int32] = np.zeros(1 << 16, np.int32)
        self._used = 0
        self._start = np.full(len(texts), -1, np.int64)
        self.length: Ints = np.zeros(len(texts), np.int64)

    def prepare(self, numbers: Ints) -> None:
        """Cut those texts into pieces that have not been cut yet."""
        missing = np.unique(numbers[self._start[numbers] < 0])
        if not len(missing):
            return
        encoded = self._backend.encode_batch_fast(self._texts[missing].to_list(), add_special_tokens=False)
        rows = [encoding.ids[: self._longest] for encoding in encoded]
        kept = np.array([len(row) for row in rows], np.int64)
        total = int(kept.sum())
        while self._used + total > len(self._flat):
            self._flat = np.concatenate([self._flat, np.zeros_like(self._flat)])
        self._flat[self._used : self._used + total] = np.concatenate([np.asarray(row, np.int32) for row in rows])
        self._start[missing] = self._used + np.cumsum(kept) - kept
        # Which side of a pair is cut depends on whole lengths.
        self.length[missing] = [len(encoding.ids) for encoding in encoded]
        self._used += total

    def pieces(self, number: int, length: int) -> NDArray[np.int32]:
        """The first ``length`` pieces of a prepared text."""
        start = self._start[number]
        return self._flat[start : start + length]


@dataclass(frozen=True)
class Template:
    """The special pieces around and between two texts, as ``(piece, type)``, and the types of the texts."""

    before: list[tuple[int, int]]
    between: list[tuple[int, int]]
    after: list[tuple[int, int]]
    types: tuple[int, int]
    pad: int
    with_types: bool

    @property
    def special(self) -> int:
        """Number of special pieces of a pair."""
        return len(self.before) + len(self.between) + len(self.after)


def read_template(tokenizer: Any) -> Template:
    """The template of a fast tokenizer, read off an encoded pair."""
    encoding = tokenizer.backend_tokenizer.encode("a", "b")
    parts: dict[int, list[tuple[int, int]]] = {0: [], 1: [], 2: []}
    types = [0, 0]
    place = 0
    for piece, kind, side in zip(encoding.ids, encoding.type_ids, encoding.sequence_ids, strict=True):
        if side is None:
            parts[place].append((piece, kind))
        else:
            place, types[side] = side + 1, kind
    with_types = "token_type_ids" in tokenizer.model_input_names
    return Template(parts[0], parts[1], parts[2], (types[0], types[1]), tokenizer.pad_token_id, with_types)


def truncate(first: Ints, second: Ints, room: int, how: str) -> tuple[Ints, Ints]:
    """Lengths of two texts after truncation to ``room`` pieces in all, as fast tokenizers do it.

    ``only_second`` shortens the second text; a first text that leaves it no piece is shortened to leave one.
    """
    if how == "only_second":
        first = np.minimum(first, room - 1)
        return first, np.minimum(second, room - first)
    short = np.minimum(first, second)
    fits = first + second <= room
    new_long = np.where(short > room, short, np.maximum(short, room - short))
    both = short + new_long > room
    new_short = np.where(both, room // 2, short)
    new_long = np.where(both, room // 2 + room % 2, new_long)
    swapped = first > second
    new_first, new_second = np.where(swapped, new_long, new_short), np.where(swapped, new_short, new_long)
    return np.where(fits, first, new_first), np.where(fits, second, new_second)


@dataclass(frozen=True)
class MicroBatch:
    """``inputs`` (what the model's forward takes, int64 ``(n, longest)``) and the numbers of its pairs."""

    inputs: dict[str, torch.Tensor]
    rows: Ints


class Batcher:
    """Makes padded tensors of any pairs.

    Args:
        pairs: the corpus.
        tokenizer: a fast tokenizer.
        max_length: pieces per pair, special ones included.
        truncation: see :func:`truncate`.
        token_budget: padded pieces per micro-batch; a single longer pair still is one.
    """

    def __init__(self, pairs: Pairs, tokenizer: Any, *, max_length: int, truncation: str, token_budget: int) -> None:
        self._pairs, self._budget, self._how = pairs, token_budget, truncation
        self._template = read_template(tokenizer)
        self._room = max_length - self._template.special
        self._store = TokenStore(pairs.texts, tokenizer, max_length)

    def prepare(self, rows: Ints) -> None:
        """Cut the texts of these pairs into pieces, all at once, which is faster than batch by batch."""
        self._store.prepare(np.concatenate([self._pairs.query[rows], self._pairs.passage[rows]]))

    def split(self, rows: Ints) -> list[MicroBatch]:
        """The pairs ``rows`` as micro-batches of similar length, the longest first."""
        self.prepare(rows)
        query, passage = self._pairs.query[rows], self._pairs.passage[rows]
        first, second = truncate(self._store.length[query], self._store.length[passage], self._room, self._how)
        lengths = first + second + self._template.special
        order = np.argsort(-lengths, kind="stable")
        batches = []
        start = 0
        while start < len(order):
            end = min(len(order), start + max(1, self._budget // int(lengths[order[start]])))
            some = order[start:end]
            batches.append(MicroBatch(self._pad(query[some], passage[some], first[some], second[some]), rows[some]))
            start = end
        return batches

    def _pad(self, query: Ints, passage: Ints, first: Ints, second: Ints) -> dict[str, torch.Tensor]:
        template = self._template
        before, between = len(template.before), len(template.between)
        shape = (len(query), int((first + second).max()) + template.special)
        ids = np.full(shape, template.pad, np.int64)
        types = np.zeros(shape, np.int64)
        ends = first + second + template.special
        ids[:, :before], types[:, :before] = _columns(template.before)
        for row in range(len(query)):
            middle = before + first[row]
            start = middle + between
            end = start + second[row]
            ids[row, before:middle] = self._store.pieces(query[row], first[row])
            ids[row, start:end] = self._store.pieces(passage[row], second[row])
            types[row, before:middle], types[row, start:end] = template.types
            ids[row, middle:start], types[row, middle:start] = _columns(template.between)
            ids[row, end : ends[row]], types[row, end : ends[row]] = _columns(template.after)
        inputs = {"input_ids": ids, "attention_mask": (np.arange(shape[1]) < ends[:, None]).astype(np.int64)}
        if template.with_types:
            inputs["token_type_ids"] = types
        return {name: torch.from_numpy(array) for name, array in inputs.items()}


def _columns(specials: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [piece for piece, _ in specials], [kind for _, kind in specials]


class Order:
    """Which pairs each optimiser step sees: a new seeded permutation per pass over the corpus.

    Args:
        count: number of pairs.
        batch_size: pairs per step; a batch may run over the end of a pass.
        seed: seed of the run.
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self._count, self._size, self._seed = count, batch_size, seed
        self._passes: dict[int, Ints] = {}

    def rows(self, first: int, last: int) -> Ints:
        """Numbers of the pairs of steps ``first`` to ``last``, both counted from 0, ``last`` not included."""
        begin, end = first * self._size, last * self._size
        numbers = range(begin // self._count, (end - 1) // self._count + 1)
        joined = np.concatenate([self._permutation(number) for number in numbers])
        offset = begin - numbers[0] * self._count
        return joined[offset : offset + end - begin]

    def _permutation(self, number: int) -> Ints:
        if number not in self._passes:
            self._passes = {key: value for key, value in self._passes.items() if key >= number - 1}
            self._passes[number] = generator(self._seed, "order", str(number)).permutation(self._count)
        return self._passes[number]
