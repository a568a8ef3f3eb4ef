"""Losses over the vectors of a batch, which a dual encoder is trained by; vectors and scores are float32."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional


def info_nce(
    queries: Tensor,
    candidates: Tensor,
    temperature: float,
    *,
    excluded: Tensor | None = None,
    margin: float | None = None,
    both: bool = False,
    reverse: float = 0.0,
) -> Tensor:
    """The mean over queries of minus the logarithm of its passage's softmax share of all candidates.

    InfoNCE (van den Oord et al. 2018, arXiv 1807.03748), with the other passages of a batch as negatives (Karpukhin et
    al. 2020, arXiv 2004.04906).

    Args:
        queries: unit vectors ``(n, d)``.
        candidates: unit vectors ``(m, d)``: the passage of each query, then negatives of all.
        temperature: what cosines are divided by, above 0.
        excluded: bool ``(n, m)``: candidates that are no negatives of a query, such as others that are relevant to it.
        margin: nor are those whose cosine is above that of the passage by more than this.
        both: the mean with the loss of finding the query of each passage among all queries.
        reverse: instead: the weight of that loss, which is added.
    """
    cosines = queries @ candidates.T
    if excluded is None:
        excluded = torch.zeros_like(cosines, dtype=torch.bool)
    loss = _cross_entropy(cosines, temperature, excluded, margin)
    if not (both or reverse):
        return loss
    square = slice(None), slice(len(queries))
    back = _cross_entropy(cosines[square].T, temperature, excluded[square].T, margin)
    return (loss + back) / 2 if both else loss + reverse * back


def _cross_entropy(cosines: Tensor, temperature: float, excluded: Tensor, margin: float | None) -> Tensor:
    if margin is not None:
        excluded = excluded | (cosines > cosines.diagonal()[:, None] + margin)
    own = torch.arange(len(cosines), device=cosines.device)
    others = own[:, None] != torch.arange(cosines.shape[1], device=cosines.device)
    return functional.cross_entropy((cosines / temperature).masked_fill(excluded & others, float("-inf")), own)


def distillation(cosines: Tensor, taught: Tensor, temperature: float, kind: Literal["kl", "margin"] = "kl") -> Tensor:
    """How far the scores of each query's own candidates are from those of a teacher; the mean over queries.

    Args:
        cosines: ``(n, m)``: of the passage, then of negatives.
        taught: a teacher's scores of the same, such as the logits of a cross-encoder; NaN where it has none, or there
            is no candidate. Queries without a score of their passage, or with no other, have no part in it.
        temperature: what cosines are divided by.
        kind: ``kl``: the divergence of the softmax of scores from that of the teacher's; ``margin``: the mean squared
            error of how far each negative is behind the passage (Hofstätter et al. 2020, arXiv 2010.02666).
    """
    known = ~taught.isnan()
    known &= known[:, :1] & (known.sum(1, keepdim=True) > 1)
    used = known.any(1)
    if not used.any():
        return cosines.sum() * 0
    known, ours, theirs = known[used], cosines[used] / temperature, taught[used].nan_to_num()
    if kind == "margin":
        errors = ((ours[:, :1] - ours) - (theirs[:, :1] - theirs)).square()[:, 1:] * known[:, 1:]
        return (errors.sum(1) / known[:, 1:].sum(1)).mean()
    ours, theirs = (
        scores.masked_fill(~known, float("-inf")).log_softmax(1).masked_fill(~known, 0.0) for scores in (ours, theirs)
    )
    divergence = (theirs.exp() * known * (theirs - ours)).sum(1)
    return divergence.mean()
