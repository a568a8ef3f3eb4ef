"""A batch of pairs without padding: its tokens end to end, and attention within each pair of them.

Attention takes many pairs at once where they have one length. In float32 those are pairs that do have one, computed
where they lie. In half precision on a CPU every new shape of a product costs milliseconds, in which oneDNN compiles it;
there attention sees blocks of a few shapes, which are copied from the tokens and back, and hides what fills them up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

_TOKENS = 128
"""In blocks, the number of tokens is rounded up to a multiple of this."""
_LENGTH = 8
"""In blocks, a pair's length is rounded up to a multiple of this."""
_PAIRS, _AREA = 16, 1024
"""A block has so many pairs at most, and so many tokens unless it is a single pair."""


@dataclass(frozen=True)
class Block:
    """Pairs that attention takes at once.

    Attributes:
        first, pairs: which of the batch, in its order.
        length: tokens of each, padding included.
        hidden: what attention adds to its scores, float32 ``(pairs, 1, 1, length)``, -inf at padding; None: no padding.
    """

    first: int
    pairs: int
    length: int
    hidden: Tensor | None = None


@dataclass(frozen=True)
class Packed:
    """The tokens of a batch end to end, on a device; pairs by falling length.

    Attributes:
        ids, positions, types: int64 ``(1, tokens)``, ``types`` zeros for a model that is given none; in blocks a few
            tokens at the end belong to no pair.
        starts: number of each pair's first token, int64 ``(pairs,)``.
        blocks: what attention takes at once, in order.
        places: number of each pair of the batch in this order, int64 ``(pairs,)``.
        order: number of each of its pairs in the batch as given, int64 ``(pairs,)``, on the CPU.
        lengths: tokens of each of its pairs, int64 ``(pairs,)``, on the CPU.
        ends: on a GPU, the starts with the number of all tokens at the end, int32 ``(pairs + 1,)``.
        slots: for each place of the blocks the number of its token, that of one of no pair at padding; None where
            blocks lie as the tokens do.
        tokens: for each token its place in the blocks.
    """

    ids: Tensor
    positions: Tensor
    types: Tensor
    starts: Tensor
    blocks: list[Block]
    places: Tensor
    order: Tensor
    lengths: Tensor
    ends: Tensor | None = None
    slots: Tensor | None = None
    tokens: Tensor | None = None


def moved(inputs: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """The inputs on a device; by pinned memory, so that a GPU need not be waited for."""
    if device.type == "cpu":
        return dict(inputs)
    return {name: tensor.pin_memory().to(device, non_blocking=True) for name, tensor in inputs.items()}


def pack(
    inputs: Mapping[str, Tensor],
    *,
    first_position: int,
    pad: int | None,
    device: torch.device,
    few_shapes: bool = False,
) -> Packed:
    """Padded inputs (on the CPU; the mask has ones, then zeros) without their padding, on a device.

    RoBERTa gives the token ``pad`` this position wherever it stands, and does not count it; for BERT it is None.
    ``few_shapes`` asks for blocks whose shapes recur from batch to batch.
    """
    lengths = inputs["attention_mask"].sum(1)
    order = torch.argsort(lengths, descending=True, stable=True)
    mask, ids, lengths = inputs["attention_mask"][order].bool(), inputs["input_ids"][order], lengths[order]
    if pad is None:
        positions = torch.arange(ids.shape[1]).expand_as(ids) + first_position
    else:
        counted = (ids != pad).long()
        positions = (counted.cumsum(1) - 1 + first_position) * counted + pad * (1 - counted)
    types = inputs["token_type_ids"][order] if "token_type_ids" in inputs else torch.zeros_like(ids)
    ends = functional.pad(lengths.cumsum(0), (1, 0))
    rest = _TOKENS - int(ends[-1]) % _TOKENS if few_shapes else 0
    padded = {"ids": ids, "positions": positions, "types": types}
    flat = {name: functional.pad(values[mask], (0, rest))[None] for name, values in padded.items()}
    flat |= {"starts": ends[:-1], "places": order.argsort()}
    if device.type != "cpu":
        flat["ends"] = ends.int()
    if not few_shapes:
        return Packed(order=order, lengths=lengths, blocks=_runs(lengths), **moved(flat, device))
    blocks = _blocks(lengths)
    slots, tokens = _crossing(blocks, ends, rest)
    return Packed(order=order, lengths=lengths, blocks=blocks, slots=slots, tokens=tokens, **moved(flat, device))


def _runs(lengths: Tensor) -> list[Block]:
    """Blocks of pairs of exactly equal length."""
    equal = [(length, len(list(run))) for length, run in groupby(lengths.tolist())]
    firsts = accumulate((pairs for _, pairs in equal), initial=0)
    return [Block(first, pairs, length) for first, (length, pairs) in zip(firsts, equal, strict=False)]


def _blocks(lengths: Tensor) -> list[Block]:
    """Blocks of a power of two of pairs, as long as the longest of them rounded up."""
    blocks, first = [], 0
    while first < len(lengths):
        length = -(-int(lengths[first]) // _LENGTH) * _LENGTH
        most = min(_PAIRS, max(1, _AREA // length), len(lengths) - first)
        pairs = 1 << (most.bit_length() - 1)
        padding = torch.arange(length) >= lengths[first : first + pairs, None]
        hidden = torch.zeros(padding.shape).masked_fill(padding, float("-inf"))
        blocks.append(Block(first, pairs, length, hidden[:, None, None]))
        first += pairs
    return blocks


def _crossing(blocks: list[Block], ends: Tensor, rest: int) -> tuple[Tensor, Tensor]:
    """``slots`` and ``tokens`` of :class:`Packed`."""
    real, slots = int(ends[-1]), []
    for block in blocks:
        some = slice(block.first, block.first + block.pairs)
        numbers = ends[:-1][some, None] + torch.arange(block.length)
        slots.append(numbers.where(numbers < ends[1:][some, None], real).flatten())
    joined = torch.cat(slots)
    tokens = torch.zeros(real + rest, dtype=torch.int64)
    tokens[joined] = torch.arange(len(joined))
    return joined, tokens


class _Copied(torch.autograd.Function):
    """Rows ``index`` of a matrix, each of its rows at most once but for those that no gradient comes to."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, index: Tensor, back: Tensor, real: int) -> Tensor:
        ctx.save_for_backward(back)
        ctx.real = real
        return rows.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (back,) = ctx.saved_tensors
        result = gradients[0].index_select(0, back)
        result[ctx.real :] = 0
        return result, None, None, None


def into_blocks(tokens: Tensor, batch: Packed) -> Tensor:
    """Rows of tokens ``(tokens, width)`` as they lie in the batch's blocks, end to end."""
    if batch.slots is None:
        return tokens
    copied: Tensor = _Copied.apply(tokens, batch.slots, batch.tokens, int(batch.lengths.sum()))
    return copied


def out_of_blocks(rows: Tensor, batch: Packed) -> Tensor:
    """The way back from :func:`into_blocks`."""
    if batch.slots is None:
        return rows
    copied: Tensor = _Copied.apply(rows, batch.tokens, batch.slots, len(rows))
    return copied
