"""MRR, nDCG, average precision and recall of many queries at once, computed by ranx on arrays.

A document that nobody judged is the same to all four as any other such document, so in a query's ranking it needs no
number of its own: a ranking is made from the places of its relevant documents alone, and the rest of it is
:data:`_UNJUDGED`. ranx is given rankings in rank order and judgements by falling relevance; it sorts neither.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from switchrank.core.compiled import compiled_code
from switchrank.core.errors import UserError

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
_METRIC = re.compile(r"(mrr|ndcg|map|recall)(@[1-9][0-9]{0,8})?")
"""Names that are ranx's own too; its ``ndcg`` has linear gains."""
_ALL = ["mrr", "ndcg", "map", "recall"]
_UNJUDGED, _NONE = -1, -2
"""Numbers in the place of a document: one without a judgement, and, after the last relevant one, no document at all."""
_CELLS = 1 << 20
"""Places of rankings, or of judgements, that are in memory at once: 16 MiB of each, twice as fast as 64."""


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
class Relevant:
    """The relevant documents of queries, one entry each, ascending by query and then by number.

    Attributes:
        query: numbers of the queries from 0; each has a relevant document.
        number: the document's within its query: 0 is the most relevant one, 1 the next.
        relevance: 1 and up.
    """

    query: Numbers
    number: Numbers
    relevance: Floats

    def array(self, start: int, end: int) -> Floats:
        """Judgements of some queries as ranx takes them: shape ``(queries, most of one query, 2)``."""
        part = slice(*np.searchsorted(self.query, [start, end]))
        query, number = self.query[part] - start, self.number[part]
        judgements = np.zeros((end - start, int(number.max()) + 1, 2))
        judgements[..., 0] = _NONE
        judgements[query, number, 0] = number
        judgements[query, number, 1] = self.relevance[part]
        return judgements


@dataclass(frozen=True)
class Found:
    """The relevant documents that a run found, one entry each, ascending by query.

    Attributes:
        query, number: as in :class:`Relevant`.
        place: the document's in the ranking, from 1.
    """

    query: Numbers
    number: Numbers
    place: Numbers

    def array(self, start: int, end: int) -> Floats:
        """Rankings of some queries as ranx takes them, down to the last relevant document: ``(queries, depth, 2)``."""
        part = slice(*np.searchsorted(self.query, [start, end]))
        depth = int(self.place[part].max(initial=1))
        rankings = np.empty((end - start, depth, 2))
        rankings[..., 0] = _UNJUDGED
        rankings[..., 1] = -np.arange(depth)
        rankings[self.query[part] - start, self.place[part] - 1, 0] = self.number[part]
        return rankings


def metric_values(metrics: list[str], found: Found, relevant: Relevant, queries: int) -> dict[str, Floats]:
    """One value for each metric and query, float64 of shape ``(queries,)``; 0 where nothing relevant was found.

    nDCG has linear gains (Järvelin and Kekäläinen 2002); the other metrics take relevance 1 and up as relevant. Average
    precision and recall are over all relevant documents, retrieved or not.

    Args:
        metrics: names that :func:`check_metrics` accepts.
        found: relevant documents at their places in the ranking.
        relevant: all relevant documents.
        queries: how many queries there are.
    """
    # Asked for one metric with a cut-off, ranx 0.3.21 looks it up under another name: KeyError.
    asked = metrics if len(metrics) > 1 else [*metrics, "mrr"]
    largest = max(int(found.place.max(initial=1)), int(relevant.number.max()) + 1)
    size = max(1, _CELLS // largest)
    values: dict[str, Floats] = {metric: np.empty(queries) for metric in metrics}
    for start in range(0, queries, size):
        end = min(start + size, queries)
        scores = ranx().evaluate(relevant.array(start, end), found.array(start, end), asked, return_mean=False)
        for metric, column in values.items():
            column[start:end] = scores[metric]
    return values


@cache
def ranx() -> Any:
    """The library, with its functions compiled or loaded from where they are kept: seconds, once a process."""
    with compiled_code(), warnings.catch_warnings(action="ignore"):
        import ranx as library

        library.evaluate(np.ones((1, 1, 2)), np.ones((1, 1, 2)), _ALL, return_mean=False)
    return library
