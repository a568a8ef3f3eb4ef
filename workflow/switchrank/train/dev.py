"""Scores of a model in training on the development set: how well it ranks each query's own list."""

from __future__ import annotations

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from switchrank.models.packed import training_forward
from switchrank.models.pretrained import Model
from switchrank.train.batches import Batcher, Pairs
from switchrank.train.processes import ALONE, Processes

DEPTH = 10
_ROWS = 2048


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


def mean_reciprocal_rank(pairs: Pairs, scores: NDArray[np.float32], depth: int = DEPTH) -> float:
    """MRR at ``depth`` over the queries of a development set, 0 to 1.

    A query's list is ranked by falling score, ties by ascending passage id (code points). Queries without a positive
    are left out.
    """
    ranked = (
        pairs.frame.with_columns(pl.Series("score", scores), pl.Series("label", pairs.label))
        .sort(["score", "pid"], descending=[True, False])
        .with_columns(pl.int_range(1, pl.len() + 1).over("qid").alias("rank"))
        .filter(pl.col("label") > 0)
    )
    first = ranked.group_by("qid", maintain_order=True).agg(pl.col("rank").min()).sort("qid")["rank"].to_numpy()
    return float(np.mean(np.where(first <= depth, 1.0 / first, 0.0))) if len(first) else 0.0
