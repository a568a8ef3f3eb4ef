"""What training minimises: loss functions on logits, each with the units that a step of it is made of.

A loss is a sum of terms over a step, divided by the number of terms of the whole step, so that it is the same however
the step is split to fit memory. In the losses over groups a label of 1 opens a group: its positive, which its negatives
follow (:class:`switchrank.train.groups.Groups` lays them out so).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.utils.rnn import pad_sequence

from switchrank.train.batches import Corpus
from switchrank.train.groups import Groups, Singles, Units


def binary_cross_entropy(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum over pairs of the cross-entropy of sigmoid(score) against the label.

    Args:
        scores: logits, float32 ``(pairs,)``.
        labels: 0 or 1, float32 ``(pairs,)``, on the CPU.
    """
    here = labels.to(scores.device, non_blocking=True)  # else the host would wait for the forward pass
    return torch.nn.functional.binary_cross_entropy_with_logits(scores, here, reduction="sum")


def pairwise_logistic(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum over all negatives of softplus(score of the negative - score of its positive).

    RankNet (Burges et al. 2005, doi:10.1145/1102351.1102363) with a target probability of 1.

    Args:
        scores: logits of whole groups, float32 ``(pairs,)``.
        labels: 1 opens a group, float32 ``(pairs,)``, on the CPU.
    """
    table = _by_group(scores, labels)
    return torch.nn.functional.softplus(table[:, 1:] - table[:, :1]).sum()


def listwise_softmax(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum over groups of minus the logarithm of the positive's softmax share of its group.

    ListNet's top-1 loss with one relevant item (Cao et al. 2007, doi:10.1145/1273496.1273513), the localised
    contrastive estimation of Gao, Dai and Callan (2021, arXiv 2101.08751).

    Args:
        scores: logits of whole groups, float32 ``(pairs,)``.
        labels: 1 opens a group, float32 ``(pairs,)``, on the CPU.
    """
    table = _by_group(scores, labels)
    first = torch.zeros(len(table), dtype=torch.int64, device=scores.device)
    return torch.nn.functional.cross_entropy(table, first, reduction="sum")


def _by_group(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Scores as ``(groups, largest group)``, the positive first; minus infinity, which adds nothing, fills up."""
    opening = labels.nonzero().squeeze(1)
    sizes = torch.diff(opening, append=torch.tensor([len(labels)])).tolist()
    return pad_sequence(list(scores.split(sizes)), batch_first=True, padding_value=float("-inf"))


@dataclass(frozen=True)
class Objective:
    """An objective.

    Attributes:
        loss: of the scores (float32, any device) and labels (CPU) of a micro-batch, the sum of its terms.
        terms: of the labels of a step, the number of its terms.
        units: of the corpus and the file to name in messages, what its steps are made of.
    """

    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    terms: Callable[[torch.Tensor], int]
    units: Callable[[Corpus, str | Path], Units]


def _singles(pairs: Corpus, _source: str | Path) -> Units:
    return Singles(len(pairs))


def _groups(pairs: Corpus, source: str | Path) -> Units:
    return Groups(pairs.queries, pairs.label, source)


def _count(label: int) -> Callable[[torch.Tensor], int]:
    return lambda labels: int((labels == label).sum())


OBJECTIVES = {
    "bce": Objective(binary_cross_entropy, len, _singles),
    "pairwise": Objective(pairwise_logistic, _count(0), _groups),
    "listwise": Objective(listwise_softmax, _count(1), _groups),
}
"""By the name that ``objective`` has in the settings."""
