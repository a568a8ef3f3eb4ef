"""How often an approximate search finds what the exact one finds, measured on a seeded sample of source words."""

from __future__ import annotations

import numpy as np

from switchrank.neighbours import Criterion, Floats, Indices, Side, top_k

SAMPLE = 500
POOL = 20
PARTS = 4
"""Into which the sample is cut, so that several threads have work."""
SEED = 1


def recall_at_1(
    source: Floats, target: Floats, found: Indices, criterion: Criterion, csls_k: int, threads: int = 1
) -> dict[str, float | int]:
    """The share of a sample of source rows whose best target row is the one that was found.

    With CSLS the exact best is looked for among a row's 20 nearest by cosine, with exact means of those.

    Args:
        found: target row found for every source row, ``(len(source),)``.

    Returns:
        ``{"recall_at_1": share, "sample": rows in the sample}``.
    """
    size = min(SAMPLE, len(source))
    rows = np.sort(np.random.default_rng(SEED).choice(len(source), size, replace=False))
    pool = 1 if criterion == "nn" else POOL
    every = np.arange(len(target))
    pairs = [(part, every) for part in np.array_split(np.arange(size), PARTS)]
    scores, ids = top_k(Side(source[rows]), Side(target), pool, threads=threads, pairs=pairs, what="recall")
    if criterion == "csls":
        words, place = np.unique(ids, return_inverse=True)
        near = top_k(Side(target[words]), Side(source), csls_k, threads=threads, what="recall: means")[0]
        scores = 2 * scores - near.mean(axis=1)[place.reshape(ids.shape)]
    exact = np.take_along_axis(ids, scores.argmax(axis=1)[:, None], axis=1)[:, 0]
    return {"recall_at_1": round(float((exact == found[rows]).mean()), 4), "sample": size}
