"""How often an approximate search finds what the exact one finds, measured on a seeded sample of source words."""

from __future__ import annotations

import numpy as np

from switchrank.search.criteria import Matcher
from switchrank.search.nearest import Indices

SAMPLE = 1000
POOL = 20
"""Of each word of the sample, so many target words are candidates for all of them."""
SEED = 1


def recall_at_1(matcher: Matcher, found: Indices) -> dict[str, float | int]:
    """The share of a sample of source rows whose best target row, ties aside, is the one that was found.

    What is best is computed by the matcher's own criterion, exactly, among candidates (:meth:`Matcher.exact_best`).

    Args:
        found: target row found for every source row, ``(n,)``, -1 for none.

    Returns:
        ``{"recall_at_1": share, "sample": rows in the sample}``.
    """
    size = min(SAMPLE, len(found))
    rows = np.sort(np.random.default_rng(SEED).choice(len(found), size, replace=False))
    return {"recall_at_1": round(float(matcher.exact_best(rows, found[rows], POOL).mean()), 4), "sample": size}
