"""How far the token vectors of two texts are apart that have the same content in different words: losses per pair.

In all functions ``theirs`` ``(n, m, d)`` are the vectors of a teacher, ``ours`` ``(n, k, d)`` those of a student, of n
pairs of texts, float32; ``of_theirs`` ``(n, m)`` and ``of_ours`` ``(n, k)`` are the weights of tokens: they add up to 1
in each text, and those of other tokens, such as padding, are 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from switchrank.models.encode import Template
from switchrank.train.transport import ipot, sinkhorn, unbalanced

_INFINITE = float("inf")


def content_tokens(inputs: Mapping[str, Tensor], template: Template) -> Tensor:
    """Which tokens of padded single texts are their own, neither special nor padding: bool ``(n, longest)``."""
    mask = inputs["attention_mask"]
    before = len(template.around[0])
    places = torch.arange(mask.shape[1])
    return (places >= before) & (places < (mask.sum(1) - (template.specials - before))[:, None])


def cosine_costs(theirs: Tensor, ours: Tensor) -> Tensor:
    """1 minus the cosine of each two tokens, ``(n, m, k)``."""
    return 1 - functional.normalize(theirs, dim=-1) @ functional.normalize(ours, dim=-1).transpose(1, 2)


@dataclass(frozen=True)
class Transport:
    """How plans are made; see :mod:`switchrank.train.transport` for what the numbers mean."""

    solver: Literal["sinkhorn", "ipot"]
    eps: float
    iterations: int
    rho: float | None = None

    @torch.no_grad()
    def plans(self, cost: Tensor, of_theirs: Tensor, of_ours: Tensor) -> Tensor:
        """How much of each token goes to each other, ``(n, m, k)``; with ``rho`` weights need not be met."""
        given = cost.detach(), of_theirs.log(), of_ours.log(), self.eps
        if self.rho is not None:
            return unbalanced(*given, self.rho, self.iterations)
        return (ipot if self.solver == "ipot" else sinkhorn)(*given, self.iterations)

    def errors(self, theirs: Tensor, ours: Tensor, of_theirs: Tensor, of_ours: Tensor) -> Tensor:
        """What it costs to bring each text to the other, ``(n,)``; the gradient goes through the cost, not the plan.

        The loss of OPTICAL (Huang et al. 2023, arXiv 2301.12566) in a reconstruction: its solver is not published.
        """
        cost = cosine_costs(theirs, ours)
        return (self.plans(cost, of_theirs, of_ours) * cost).sum((1, 2))


def greedy_errors(theirs: Tensor, ours: Tensor, of_theirs: Tensor, of_ours: Tensor) -> Tensor:
    """The mean squared error of tokens that are paired greedily, ``(n,)``: the nearest two first, each token once.

    The alignment of DR.DECR (Li et al. 2022, arXiv 2112.08185; primeqa, ``ir/dense/colbert_top/colbert/training``). A
    text of fewer tokens leaves those of the other unpaired that are farthest.
    """
    paired = greedy_pairs(cosine_costs(theirs, ours).detach(), of_theirs > 0, of_ours > 0)
    pair, row, column = paired.nonzero(as_tuple=True)
    errors = (theirs[pair, row] - ours[pair, column]).square().mean(1)
    return errors.new_zeros(len(paired)).index_add(0, pair, errors) / paired.sum((1, 2))


def greedy_pairs(cost: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Which rows and columns are paired, bool as ``cost`` ``(n, m, k)``: the cheapest first, each of those that are
    there (bool ``(n, m)`` and ``(n, k)``) once, until one side has none left. Of equal costs the first counts."""
    left = cost.masked_fill(~(rows[:, :, None] & columns[:, None, :]), _INFINITE)
    paired, every = torch.zeros_like(left, dtype=torch.bool), torch.arange(len(cost), device=cost.device)
    for _ in range(min(cost.shape[1:])):
        least, place = left.flatten(1).min(1)
        row, column = place // cost.shape[2], place % cost.shape[2]
        paired[every, row, column] |= least.isfinite()
        left[every, row] = _INFINITE
        left[every, :, column] = _INFINITE
    return paired


def max_sim_errors(theirs: Tensor, ours: Tensor, of_theirs: Tensor, of_ours: Tensor) -> Tensor:
    """The mean over the tokens of a text of 1 minus the cosine to the nearest one of the other, ``(n,)``; the mean of
    both directions."""
    cost = cosine_costs(theirs, ours)
    forth = cost.masked_fill((of_ours == 0)[:, None, :], _INFINITE).amin(2)
    back = cost.masked_fill((of_theirs == 0)[:, :, None], _INFINITE).amin(1)
    return ((forth * of_theirs).sum(1) + (back * of_ours).sum(1)) / 2


def direction_errors(theirs: Tensor, ours: Tensor, of_theirs: Tensor, of_ours: Tensor) -> Tensor:
    """1 minus the cosine of the mean directions of the tokens of both texts, ``(n,)``."""
    one, other = (
        (functional.normalize(vectors, dim=-1) * (weights > 0)[..., None]).sum(1)
        for vectors, weights in ((theirs, of_theirs), (ours, of_ours))
    )
    return 1 - functional.cosine_similarity(one, other)
