"""Confidence intervals of the pictures: a percentile bootstrap over queries, the same resample for all systems.

Each resample draws queries with replacement from all queries of the test set; every pair and system is averaged over
the same draw, so that the interval of a mean over pairs respects that pairs share queries (Efron and Tibshirani 1993,
chapter 13). A query's value is its mean over training seeds: the interval speaks of queries, not of seeds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.seeds import generator
from switchrank.report.data import Pair

Cell = tuple[str, str, str]
"""System, query language, document language."""
DIGITS = 6


class Bootstrap:
    """Resampled means of every system and pair.

    Args:
        rows: system, query_lang, doc_lang, qid, value (:func:`switchrank.report.data.query_rows`).
        samples: number of resamples.
        level: coverage of the intervals, 0 to 1.
        seed: names the resamples.
    """

    def __init__(self, rows: pl.DataFrame, *, samples: int = 1000, level: float = 0.95, seed: int = 1) -> None:
        queries = rows["qid"].unique().sort()
        place = {qid: row for row, qid in enumerate(queries.to_list())}
        draws = generator(seed, "report", "bootstrap").multinomial(len(place), [1 / len(place)] * len(place), samples)
        weights = draws.astype(np.float64)
        self._tail = 50 * (1 - level)
        self._means: dict[Cell, NDArray[np.float64]] = {}
        for cell, group in rows.group_by("system", "query_lang", "doc_lang", maintain_order=True):
            columns = np.zeros((len(place), 2))
            columns[[place[qid] for qid in group["qid"].to_list()]] = np.column_stack(
                [group["value"], np.ones(len(group))]
            )
            totals = weights @ columns
            self._means[(str(cell[0]), str(cell[1]), str(cell[2]))] = totals[:, 0] / np.maximum(totals[:, 1], 1.0)

    def interval(self, system: str, pairs: Sequence[Pair]) -> tuple[float, float] | None:
        """Bounds of the mean over ``pairs``, rounded to six digits; None when a pair has no per-query rows."""
        cells = [(system, pair.query, pair.document) for pair in pairs]
        if not cells or any(cell not in self._means for cell in cells):
            return None
        means = np.mean([self._means[cell] for cell in cells], axis=0)
        low, high = np.percentile(means, [self._tail, 100 - self._tail])
        return round(float(low), DIGITS), round(float(high), DIGITS)
