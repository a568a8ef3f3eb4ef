"""MRR, nDCG, average precision and recall of many queries at once, from nothing but the relevant documents found.

All four are sums over the relevant documents of a ranking, weighted by their places, so the other documents need never
be looked at one by one. Sums run in the order of places: equal rankings give equal bits.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from switchrank.errors import UserError

Floats = NDArray[np.float64]
_METRIC = re.compile(r"(mrr|ndcg|map|recall)(@[1-9][0-9]{0,8})?")


def check_metrics(metrics: list[str]) -> None:
    """Raise UserError unless every name is ``mrr``, ``ndcg``, ``map`` or ``recall``, with or without ``@k``."""
    for metric in metrics:
        if not _METRIC.fullmatch(metric):
            raise UserError(
                "evaluate", "metrics", f"unknown metric {metric}", "write mrr@10, ndcg@10, map or recall@100"
            )
    if not metrics:
        raise UserError("evaluate", "metrics", "none given", "write mrr@10, ndcg@10, map or recall@100")


@dataclass(frozen=True)
class Graded:
    """Relevant documents and where they stand, one entry each, ascending by query and then by place.

    Attributes:
        query: numbers of the queries from 0; int64, shape ``(n,)``.
        place: from 1 within the query; int64, shape ``(n,)``.
        relevance: 1 and up; float64, shape ``(n,)``.
    """

    query: NDArray[np.int64]
    place: NDArray[np.int64]
    relevance: Floats

    def down_to(self, depth: int) -> Graded:
        """Those of the first ``depth`` places."""
        kept = self.place <= depth
        return Graded(self.query[kept], self.place[kept], self.relevance[kept])


def metric_values(metric: str, found: Graded, ideal: Graded, queries: int) -> Floats:
    """One value for each query, float64 of shape ``(queries,)``; 0 where nothing relevant was found.

    nDCG has linear gains (Järvelin and Kekäläinen 2002); the other metrics take relevance 1 and up as relevant. Average
    precision and recall are over all relevant documents, retrieved or not.

    Args:
        metric: a name that :func:`check_metrics` accepts.
        found: relevant documents at their places in the ranking.
        ideal: all relevant documents, those of a query at the places 1, 2, ... by falling relevance.
        queries: how many queries there are; each has a relevant document.
    """
    name, _, depth = metric.partition("@")
    relevant = np.bincount(ideal.query, minlength=queries)
    if depth:
        found, ideal = found.down_to(int(depth)), ideal.down_to(int(depth))
    if name == "mrr":
        first = np.ones(len(found.query), dtype=bool)
        first[1:] = found.query[1:] != found.query[:-1]
        return _sums(found.query[first], 1 / found.place[first], queries)
    if name == "recall":
        return _sums(found.query, np.ones(len(found.query)), queries) / relevant
    if name == "map":
        return _sums(found.query, _position(found.query) / found.place, queries) / relevant
    return _discounted_gains(found, queries) / _discounted_gains(ideal, queries)


def _sums(query: NDArray[np.int64], values: Floats, queries: int) -> Floats:
    return np.bincount(query, weights=values, minlength=queries).astype(np.float64)


def _position(query: NDArray[np.int64]) -> NDArray[np.int64]:
    """1, 2, ... within each query."""
    number = np.arange(len(query))
    return number - np.searchsorted(query, query) + 1


def _discounted_gains(graded: Graded, queries: int) -> Floats:
    places, inverse = np.unique(graded.place, return_inverse=True)
    discounts = np.array([math.log2(place + 1) for place in places.tolist()])
    return _sums(graded.query, graded.relevance / discounts[inverse], queries)
