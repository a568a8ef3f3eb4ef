"""Dropout whose bits, on a CPU, are a function of seed, step, pair and place alone.

However a step is split over micro-batches, processes and threads, the same numbers are dropped. Bits come in bulk from
a counter (:func:`switchrank.core.seeds.counter_bits`), 16 for each number, which takes a tenth of the time of drawing
them one by one from torch's generator.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from switchrank.core.ragged import Numbers, spans
from switchrank.core.seeds import continue_state, counter_bits, counter_state

States = NDArray[np.uint64]
_VALUES = 1 << 16


@dataclass(frozen=True)
class Draw:
    """What the bits of a forward pass follow from, besides the place where they are used.

    Attributes:
        seed: of the training.
        step: number of the optimiser step.
        pairs: a number for each pair of the batch, int64 ``(pairs,)``; equal numbers drop the same.
    """

    seed: int
    step: int
    pairs: Numbers


class Dropout:
    """The dropout of one forward pass; every use is a place of its own, numbered in the order of the calls.

    Without ``pairs``, the states of the batch's pairs in its order, bits come from torch's generator.

    Args:
        pairs: uint64 ``(pairs,)``, from :func:`pair_states`.
        lengths: tokens of each pair, int64 ``(pairs,)``.
        rest: tokens at the end of the batch that belong to none.
        active: False for a model that is not being trained: nothing is dropped.
    """

    def __init__(self, pairs: States | None, lengths: Numbers, rest: int, *, active: bool = True) -> None:
        self.active, self._pairs, self._place = active, pairs, 0
        if pairs is not None and active:
            within = spans(np.zeros_like(lengths), lengths)
            each = continue_state(np.repeat(pairs, lengths), within)
            self._tokens = np.concatenate([each, np.zeros(rest, np.uint64)])
            self._firsts = continue_state(pairs, 0)

    def next_place(self) -> None:
        self._place += 1

    def of_rows(self, values: Tensor, share: float, *, first_only: bool = False) -> Tensor:
        """``values`` ``(tokens, width)``, or ``(pairs, width)`` of first tokens, of which a share becomes zero."""
        self.next_place()
        if not (share and self.active):
            return values
        if self._pairs is None:
            return functional.dropout(values, share)
        states = continue_state(self._firsts if first_only else self._tokens, self._place)
        return values * _noise(states, share, values)

    def of_attention(self, shares: Tensor, share: float, first: int) -> Tensor:
        """The same of attention weights ``(pairs, heads, queries, keys)``, of pairs from number ``first`` on.

        All blocks of a layer are one place: call :meth:`next_place` once for them.
        """
        if not (share and self.active):
            return shares
        if self._pairs is None:
            return functional.dropout(shares, share)
        pairs, heads, queries, _ = shares.shape
        states = continue_state(self._pairs[first : first + pairs], self._place)
        states = continue_state(states[:, None], np.arange(heads))
        states = continue_state(states[..., None], np.arange(queries))
        return shares * _noise(states.ravel(), share, shares)


def pair_states(draw: Draw) -> States:
    """Where the bits of each pair begin."""
    return counter_state(draw.seed, draw.step, draw.pairs)


def _noise(states: States, share: float, like: Tensor) -> Tensor:
    """What to multiply ``like`` by: 0 with probability ``share``, to a multiple of 2**-16, else 1 / (1 - share)."""
    bits = torch.from_numpy(counter_bits(states, like.shape[-1]).view(np.int16)).view(like.shape)
    kept = (bits >= round(share * _VALUES) - _VALUES // 2).to(like.dtype)
    return kept.mul_(1 / (1 - share)) if share < 1 else kept.zero_()
