"""What training minimises, each objective with the units that a step of it is made of; and the measure on the
development set.

A loss is a sum of terms over a step, divided by the number of terms of the whole step, so that it is the same however
the step is split to fit memory. Losses take logits (on any device) and labels (on the CPU), float32 ``(pairs,)``. In
those over groups a label of 1 opens a group: its positive, which its negatives follow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pad_sequence

from switchrank.models.packed import training_forward
from switchrank.models.pretrained import Model
from switchrank.train.batches import Batcher, Corpus, Pairs
from switchrank.train.processes import ALONE, Processes
from switchrank.train.units import Groups, Units

_ROWS = 2048


def binary_cross_entropy(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum over pairs of the cross-entropy of sigmoid(score) against the label."""
    here = labels.to(scores.device, non_blocking=True)  # else the host would wait for the forward pass
    return torch.nn.functional.binary_cross_entropy_with_logits(scores, here, reduction="sum")


def pairwise_logistic(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum over all negatives of softplus(score of the negative - score of its positive).

    RankNet (Burges et al. 2005, doi:10.1145/1102351.1102363) with a target probability of 1.
    """
    table = _by_group(scores, labels)
    return torch.nn.functional.softplus(table[:, 1:] - table[:, :1]).sum()


def listwise_softmax(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum over groups of minus the logarithm of the positive's softmax share of its group.

    ListNet's top-1 loss with one relevant item (Cao et al. 2007, doi:10.1145/1273496.1273513), the localised
    contrastive estimation of Gao, Dai and Callan (2021, arXiv 2101.08751).
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
    """A loss, and the label of the pairs that are its terms in steps of groups; None: every pair is a term."""

    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    counted: int | None = None

    def terms(self, labels: torch.Tensor) -> int:
        return len(labels) if self.counted is None else int((labels == self.counted).sum())

    def units(self, pairs: Corpus, source: str | Path) -> Units:
        """What the steps are made of; messages name ``source``."""
        return Units(len(pairs)) if self.counted is None else Groups(pairs.queries, pairs.label, source)


OBJECTIVES = {
    "bce": Objective(binary_cross_entropy),
    "pairwise": Objective(pairwise_logistic, counted=0),
    "listwise": Objective(listwise_softmax, counted=1),
}
"""By the name that ``objective`` has in the settings."""


@torch.no_grad()
def logits(model: Model, batcher: Batcher, count: int, processes: Processes = ALONE) -> NDArray[np.float32]:
    """The logit of each pair 0 to ``count`` - 1, float32. The model is put back in training mode.

    Several processes share the work, and all get the same scores as one alone.
    """
    scores, forward = np.zeros(count, np.float32), training_forward(model)
    model.eval()
    for start in range(processes.rank * _ROWS, count, processes.count * _ROWS):
        for batch in batcher.split(np.arange(start, min(start + _ROWS, count))):
            scores[batch.rows] = forward(batch.inputs).float().cpu().numpy()
    model.train()
    processes.add(torch.from_numpy(scores))
    return scores


def mean_reciprocal_rank(pairs: Pairs, scores: NDArray[np.float32], depth: int = 10) -> float:
    """MRR at ``depth`` over the queries of a development set that have a positive, 0 to 1.

    A query's list is ranked by falling score, ties by ascending passage id (code points).
    """
    ranked = (
        pairs.frame.with_columns(pl.Series("score", scores), pl.Series("label", pairs.label))
        .sort(["score", "pid"], descending=[True, False])
        .with_columns(pl.int_range(1, pl.len() + 1).over("qid").alias("rank"))
        .filter(pl.col("label") > 0)
    )
    first = ranked.group_by("qid", maintain_order=True).agg(pl.col("rank").min()).sort("qid")["rank"].to_numpy()
    return float(np.mean(np.where(first <= depth, 1.0 / first, 0.0))) if len(first) else 0.0
