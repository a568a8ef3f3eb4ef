"""Losses over the vectors of a batch, which dual encoders and late interaction are trained by; all is float32."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

_AT_ONCE = 1 << 24
"""Inner products of tokens that are held at a time."""


def inner_products(queries: Tensor, candidates: Tensor) -> Tensor:
    """The inner products of all queries, ``(n, d)``, with all candidates, ``(m, d)``."""
    return queries @ candidates.T


def max_sim(queries: Tensor, candidates: Tensor) -> Tensor:
    """The MaxSim of all queries with all candidates, ``(n, m)``.

    That is the sum over the tokens of a query of the largest inner product with a token of the candidate (Khattab and
    Zaharia 2020, arXiv 2004.12832, section 3.3). Gradients need no more memory than scores: products are made again.

    Args:
        queries: unit vectors of tokens ``(n, longest, d)``, zeros where a query has no more.
        candidates: the same ``(m, longest, d)``; each has a token.
    """
    queries, candidates = _without_padding(queries), _without_padding(candidates)
    of_one = queries.shape[0] * queries.shape[1] * candidates.shape[1]
    parts = candidates.split(max(1, _AT_ONCE // max(1, of_one)))
    once = partial(checkpoint, _max_sim, use_reentrant=False, preserve_rng_state=False) if parts[1:] else _max_sim
    return torch.cat([once(queries, part) for part in parts], dim=1)


def max_sim_of_own(queries: Tensor, candidates: Tensor) -> Tensor:
    """The MaxSim of each query, ``(n, longest, d)``, with its own candidates, ``(n, m, longest, d)``: ``(n, m)``.

    It is 0 where a candidate has no token at all.
    """
    products = torch.einsum("nqd,nmkd->nmqk", queries, candidates)
    there = _there(candidates)
    best = products.masked_fill(~there[:, :, None], float("-inf")).amax(-1)
    without = ~_there(queries)[:, None] | ~there.any(-1)[:, :, None]
    return best.masked_fill(without, 0.0).sum(-1)


def _max_sim(queries: Tensor, candidates: Tensor) -> Tensor:
    products = queries.flatten(0, 1) @ candidates.flatten(0, 1).T
    apart = products.view(*queries.shape[:2], *candidates.shape[:2])
    best = apart.masked_fill(~_there(candidates), float("-inf")).amax(-1)
    return best.masked_fill(~_there(queries)[..., None], 0.0).sum(1)


def _there(vectors: Tensor) -> Tensor:
    """Which tokens there are, of the shape of ``vectors`` without the last dimension."""
    return vectors.detach().square().sum(-1) > 0.5


def _without_padding(vectors: Tensor) -> Tensor:
    """Vectors of tokens up to the last place where any text has one."""
    used = _there(vectors).any(0).nonzero()
    return vectors[:, : int(used[-1]) + 1] if len(used) else vectors


def info_nce(
    queries: Tensor,
    candidates: Tensor,
    temperature: float,
    *,
    excluded: Tensor | None = None,
    margin: float | None = None,
    both: bool = False,
    reverse: float = 0.0,
    score: Callable[[Tensor, Tensor], Tensor] = inner_products,
) -> Tensor:
    """The mean over queries of minus the logarithm of its passage's softmax share of all candidates.

    InfoNCE (van den Oord et al. 2018, arXiv 1807.03748), with the other passages of a batch as negatives (Karpukhin et
    al. 2020, arXiv 2004.04906).

    Args:
        queries: unit vectors ``(n, d)``.
        candidates: unit vectors ``(m, d)``: the passage of each query, then negatives of all.
        temperature: what scores are divided by, above 0.
        excluded: bool ``(n, m)``: candidates that are no negatives of a query, such as others that are relevant to it.
        margin: nor are those whose score is above that of the passage by more than this.
        both: the mean with the loss of finding the query of each passage among all queries.
        reverse: instead: the weight of that loss, which is added.
        score: what compares all queries with all candidates, ``(n, m)``; with :func:`max_sim`, both are vectors of
            tokens.
    """
    scores = score(queries, candidates)
    if excluded is None:
        excluded = torch.zeros_like(scores, dtype=torch.bool)
    loss = _cross_entropy(scores, temperature, excluded, margin)
    if not (both or reverse):
        return loss
    square = slice(None), slice(len(queries))
    back = _cross_entropy(scores[square].T, temperature, excluded[square].T, margin)
    return (loss + back) / 2 if both else loss + reverse * back


def _cross_entropy(scores: Tensor, temperature: float, excluded: Tensor, margin: float | None) -> Tensor:
    if margin is not None:
        excluded = excluded | (scores > scores.diagonal()[:, None] + margin)
    own = torch.arange(len(scores), device=scores.device)
    others = own[:, None] != torch.arange(scores.shape[1], device=scores.device)
    return functional.cross_entropy((scores / temperature).masked_fill(excluded & others, float("-inf")), own)


def distillation(scores: Tensor, taught: Tensor, temperature: float, kind: Literal["kl", "margin"] = "kl") -> Tensor:
    """How far the scores of each query's own candidates are from those of a teacher; the mean over queries.

    Args:
        scores: ``(n, m)``: of the passage, then of negatives.
        taught: a teacher's scores of the same, such as the logits of a cross-encoder; NaN where it has none, or there
            is no candidate. Queries without a score of their passage, or with no other, have no part in it.
        temperature: what scores are divided by.
        kind: ``kl``: the divergence of the softmax of scores from that of the teacher's; ``margin``: the mean squared
            error of how far each negative is behind the passage (Hofstätter et al. 2020, arXiv 2010.02666).
    """
    known = ~taught.isnan()
    known &= known[:, :1] & (known.sum(1, keepdim=True) > 1)
    used = known.any(1)
    if not used.any():
        return scores.sum() * 0
    known, ours, theirs = known[used], scores[used] / temperature, taught[used].nan_to_num()
    if kind == "margin":
        errors = ((ours[:, :1] - ours) - (theirs[:, :1] - theirs)).square()[:, 1:] * known[:, 1:]
        return (errors.sum(1) / known[:, 1:].sum(1)).mean()
    ours, theirs = (
        some.masked_fill(~known, float("-inf")).log_softmax(1).masked_fill(~known, 0.0) for some in (ours, theirs)
    )
    divergence = (theirs.exp() * known * (theirs - ours)).sum(1)
    return divergence.mean()
