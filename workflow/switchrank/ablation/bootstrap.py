"""The bootstrap over queries: how much a mean, or anything computed from means, owes to the queries at hand."""

from __future__ import annotations

import math

import numpy as np

from switchrank.ablation.scores import Floats
from switchrank.core.errors import UserError
from switchrank.core.seeds import generator

_BLOCK_DRAWS = 1 << 20


def resampled_means(values: Floats, *, resamples: int, seed: int, purpose: tuple[str, ...]) -> Floats:
    """Means over queries drawn with replacement, the same draws for every series.

    Args:
        values: shape ``(series, queries)``.
        resamples: how many.
        seed, purpose: key of the draws; equal keys and numbers of queries give the same draws.

    Returns:
        Shape ``(resamples, series)``. A series of zeros has means of exactly zero.

    Raises:
        UserError: ``resamples`` is less than 1.
    """
    if resamples < 1:
        raise UserError("ablation", "resamples", f"{resamples}", "give a whole number from 1, such as 2000")
    queries = values.shape[1]
    random = generator(seed, "bootstrap", *purpose)
    block = max(1, _BLOCK_DRAWS // queries)
    parts = []
    for first in range(0, resamples, block):
        rows = min(block, resamples - first)
        drawn = random.integers(queries, size=(rows, queries)) + queries * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * queries).reshape(rows, queries)
        # einsum without BLAS: the sum does not depend on the number of threads
        parts.append(np.einsum("rq,sq->rs", counts.astype(np.float64), values) / queries)
    return np.concatenate(parts)


def interval(samples: Floats, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of ``samples``, shape ``(resamples,)``, which may be infinite.

    Its ends are samples themselves (the inverted distribution function), so that none lies between a number and
    infinity.
    """
    ordered = np.sort(samples)
    tail = (1 - level) / 2
    ends = [max(math.ceil(round(share * len(ordered), 9)), 1) - 1 for share in (tail, 1 - tail)]
    return float(ordered[ends[0]]), float(ordered[ends[1]])
