"""How well vectors tell what translates what, of pairs of texts or words: what training is judged by."""

import torch
from torch import Tensor
from torch.nn import functional

from switchrank.core.ragged import Numbers


def pair_measures(sources: Tensor, targets: Tensor, ids: tuple[Numbers, Numbers], name: str) -> dict[str, float]:
    """Measures of n pairs, two at least, by the cosine of the vectors ``(n, d)`` of their sides.

    Args:
        ids: a number for the text of each source and of each target, ``(n,)``: equal texts are equally right.
        name: of the first measure.

    Returns:
        ``<name>``, the share of sources whose nearest target is their own, ``<name>_back``, the same of targets;
        ``pair_cosine`` and ``random_cosine``, the mean cosines of pairs, and of sides of different pairs. Where the
        last comes near the one before, all vectors have become alike.
    """
    cosines = functional.normalize(sources, dim=1) @ functional.normalize(targets, dim=1).T
    of_sources, of_targets = (torch.from_numpy(side).to(cosines.device) for side in ids)
    pairs, count = cosines.diagonal().sum().item(), len(cosines)
    return {
        name: _found(cosines, of_targets),
        f"{name}_back": _found(cosines.T, of_sources),
        "pair_cosine": pairs / count,
        "random_cosine": (cosines.sum().item() - pairs) / (count * (count - 1)),
    }


def _found(cosines: Tensor, ids: Tensor) -> float:
    return (ids[cosines.argmax(1)] == ids).float().mean().item()
