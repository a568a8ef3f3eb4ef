"""What stays together in training: single pairs, or groups of one positive and the negatives of its query."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.ragged import Numbers, spans


class Units(Protocol):
    """What a corpus is permuted by and a step takes a number of. ``len`` tells how many there are."""

    name: str
    """Plural, for people."""
    size: int
    """Pairs in one, rounded."""

    def __len__(self) -> int: ...

    def rows(self, numbers: Numbers) -> Numbers:
        """The pairs of some units, end to end."""
        ...

    def sizes(self, numbers: Numbers) -> Numbers:
        """How many pairs each of these units has."""
        ...

    def record(self) -> dict[str, Any]:
        """Facts for ``train.json``, JSON-plain."""
        ...


class Singles:
    """Every pair is a unit of its own.

    Args:
        count: number of pairs.
    """

    name = "pairs"
    size = 1

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def rows(self, numbers: Numbers) -> Numbers:
        """The numbers themselves."""
        return numbers

    def sizes(self, numbers: Numbers) -> Numbers:
        """Ones."""
        return np.ones(len(numbers), np.int64)

    def record(self) -> dict[str, Any]:
        """Nothing: the number of pairs is recorded anyway."""
        return {}


class Groups:
    """Each positive with its negatives, in the order of the positives; in a group the positive comes first.

    The negatives of a query are dealt to its positives in corpus order, in shares as equal as can be, wherever other
    queries' rows lie between. So a corpus of judged pairs falls into its positives and the negatives drawn for each
    (a limit may cut the last query short), and one walked along triples, whose neighbouring rows are of different
    queries, into groups of about one size, which nearness in the file would not give. Pairs of a query without
    positives or negatives, and positives beyond the number of negatives, are left out, with one line on standard
    error.

    Args:
        queries: what tells the query of each pair: a number or id.
        labels: 1 where the passage is relevant, else 0.
        source: file to name in messages.

    Attributes:
        size: the mean number of pairs in a group, rounded; a step takes the next ``batch_size // size`` groups, however
            large those are.

    Raises:
        UserError: there is no group at all.
    """

    name = "groups"

    def __init__(self, queries: pl.Series, labels: NDArray[np.float32], source: str | Path) -> None:
        grouped = _grouped(queries, labels > 0)
        if grouped.is_empty():
            raise UserError(
                source,
                "objective",
                "no query has both a positive and a negative",
                "write objective: bce, or train on instances made without triples",
            )
        self._rows: Numbers = grouped["row"].to_numpy().astype(np.int64)
        self._starts: Numbers = np.flatnonzero(grouped["positive"].to_numpy())
        self._sizes: Numbers = np.diff(self._starts, append=len(self._rows))
        self.size = round(len(self._rows) / len(self))
        self._left_out = len(queries) - len(self._rows)
        if self._left_out:
            print(f"{source}: {self._left_out} of {len(queries)} pairs left out: their query has no positive, or "
                  "fewer negatives than positives", file=sys.stderr)  # fmt: skip

    def __len__(self) -> int:
        return len(self._starts)

    def rows(self, numbers: Numbers) -> Numbers:
        """The pairs of some groups, end to end: each positive followed by its negatives in corpus order."""
        return self._rows[spans(self._starts[numbers], self._sizes[numbers])]

    def sizes(self, numbers: Numbers) -> Numbers:
        """How many pairs each of these groups has, at least 2."""
        return self._sizes[numbers]

    def record(self) -> dict[str, Any]:
        """How many groups there are, of what size, and how many pairs are in none."""
        return {"groups": {"count": len(self), "size": self.size, "pairs_left_out": self._left_out}}


def _grouped(queries: pl.Series, positive: NDArray[np.bool_]) -> pl.DataFrame:
    """Columns ``row`` and ``positive`` of all pairs that have a group, group after group."""
    is_positive = pl.col("positive").cast(pl.Int64)
    nth, positives, pairs = is_positive.cum_sum(), is_positive.sum(), pl.len().cast(pl.Int64)
    nth_negative = pl.int_range(1, pairs + 1) - nth
    share = (nth_negative - 1) * positives // (pairs - positives)
    opening = pl.col("row").filter(pl.col("positive")).min()
    return (
        pl.DataFrame({"query": queries, "positive": positive})
        .with_row_index("row")
        .with_columns(turn=pl.when("positive").then(nth - 1).otherwise(share).over("query"))
        .with_columns(opening=opening.over("query", "turn"), size=pl.len().over("query", "turn"))
        .filter(pl.col("opening").is_not_null() & (pl.col("size") > 1))
        .sort("opening", "positive", "row", descending=[False, True, False])
        .select("row", "positive")
    )


def by_group(lengths: Numbers, sizes: Numbers, token_budget: int) -> Iterator[Numbers]:
    """Numbers of pairs in batches of whole groups, at most ``token_budget`` padded tokens and at least one group each.

    Groups come by falling length of their longest pair, equally long ones in their order; groups of one pair give the
    batches of :func:`switchrank.models.encode.by_length`.

    Args:
        lengths: tokens of each pair, the groups end to end, int64.
        sizes: pairs of each group, int64.
        token_budget: pairs times tokens of the longest; a single group that has more still is one batch.
    """
    starts = np.cumsum(sizes) - sizes
    longest = np.maximum.reduceat(lengths, starts) if len(starts) else starts
    order = np.argsort(-longest, kind="stable")
    ends = np.cumsum(sizes[order])
    first = 0
    while first < len(order):
        begun = int(ends[first - 1]) if first else 0
        fitting = begun + token_budget // int(longest[order[first]])
        last = max(first + 1, int(np.searchsorted(ends, fitting, side="right")))
        some = order[first:last]
        yield spans(starts[some], sizes[some])
        first = last
