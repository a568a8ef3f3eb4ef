"""What stays together in training, single pairs or groups of a positive and its negatives; and the order of both."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.ragged import Numbers, spans
from switchrank.core.seeds import derive_seed, generator


class Order:
    """A new permutation of ``count`` units per pass over the data: it depends on the seed and their number alone, so
    systems of a seed agree. A step takes ``batch_size`` units and may run over the end of a pass.
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self._count, self._size, self._seed = count, batch_size, seed
        self._passes: dict[int, Numbers] = {}

    def rows(self, first: int, last: int) -> Numbers:
        """Numbers of the units of steps ``first`` to ``last``, both counted from 0, ``last`` not included."""
        begin, end = first * self._size, last * self._size
        numbers = range(begin // self._count, (end - 1) // self._count + 1)
        joined = np.concatenate([self._permutation(number) for number in numbers])
        offset = begin - numbers[0] * self._count
        return joined[offset : offset + end - begin]

    def _permutation(self, number: int) -> Numbers:
        if number not in self._passes:
            self._passes = {key: value for key, value in self._passes.items() if key >= number - 1}
            self._passes[number] = self._drawn(number)
        return self._passes[number]

    def _drawn(self, number: int) -> Numbers:
        return generator(self._seed, "order", str(number)).permutation(self._count)


class OrderBySize(Order):
    """Units of several groups, such as languages, drawn in proportion to a power of how many each has.

    A pass has as many units as there are, those of each group in turn until all of it have been seen; 1 is by size, 0
    the same number of each (Conneau and Lample 2019, arXiv 1901.07291, section 3.1).

    Args:
        sizes: units of each group, which are numbered end to end.
    """

    def __init__(self, sizes: Sequence[int], batch_size: int, seed: int, exponent: float) -> None:
        weights = np.array(sizes, np.float64) ** exponent
        ends = np.rint(np.cumsum(weights) / weights.sum() * sum(sizes)).astype(np.int64)
        shares = np.maximum(np.diff(ends, prepend=0), 1)
        super().__init__(int(shares.sum()), batch_size, seed)
        self._firsts = np.cumsum(sizes) - np.array(sizes)
        seeds = (derive_seed(seed, "group", str(number)) for number in range(len(sizes)))
        self._groups = [Order(*group) for group in zip(sizes, shares.tolist(), seeds, strict=True)]

    def _drawn(self, number: int) -> Numbers:
        every = [first + one.rows(number, number + 1) for first, one in zip(self._firsts, self._groups, strict=True)]
        return np.concatenate(every)[super()._drawn(number)]


class OrderOfBoth(Order):
    """The units of two orders side by side: each step takes those of the one, then those of the other, renumbered.

    ``count`` is how many units the first has.
    """

    def __init__(self, first: Order, second: Order, count: int) -> None:
        self._both, self._offset = (first, second), count

    def rows(self, first: int, last: int) -> Numbers:
        one, other = (order.rows(first, last).reshape(last - first, -1) for order in self._both)
        return np.concatenate([one, self._offset + other], axis=1).ravel()


class Units:
    """The units that a corpus is shuffled in and a step takes some of, of ``size`` pairs; here each pair is one."""

    name = "pairs"
    size = 1

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def rows(self, numbers: Numbers) -> Numbers:
        """The pairs of some units, end to end."""
        return numbers

    def sizes(self, numbers: Numbers) -> Numbers:
        return np.ones(len(numbers), np.int64)

    def record(self) -> dict[str, Any]:
        """Facts for ``train.json`` beside the number of pairs, JSON-plain."""
        return {}


class Groups(Units):
    """Each positive with its negatives, in the order of the positives; in a group the positive comes first.

    The negatives of a query are dealt to its positives in corpus order, in shares as equal as can be, however far apart
    its rows lie: in a corpus made from triples neighbouring rows are of different queries. Pairs of a query without
    positives or negatives, and positives beyond the number of negatives, are left out, with one line on standard error.
    ``size`` is the mean number of pairs, rounded. Raises UserError where there is no group at all.

    Args:
        queries: a number or id that tells the query of each pair.
        labels: 1 where the passage is relevant, else 0.
        source: file to name in messages.
    """

    name = "groups"

    def __init__(self, queries: pl.Series, labels: NDArray[np.float32], source: str | Path) -> None:
        grouped = _grouped(queries, labels > 0)
        if grouped.is_empty():
            problem = "no query has both a positive and a negative"
            todo = "write objective: bce, or train on instances made without triples"
            raise UserError(source, "objective", problem, todo)
        self._rows: Numbers = grouped["row"].to_numpy().astype(np.int64)
        self._starts: Numbers = np.flatnonzero(grouped["positive"].to_numpy())
        self._sizes: Numbers = np.diff(self._starts, append=len(self._rows))
        super().__init__(len(self._starts))
        self.size = round(len(self._rows) / len(self))
        self._left_out = len(queries) - len(self._rows)
        if self._left_out:
            print(f"{source}: {self._left_out} of {len(queries)} pairs left out: their query has no positive, or "
                  "fewer negatives than positives", file=sys.stderr)  # fmt: skip

    def rows(self, numbers: Numbers) -> Numbers:
        return self._rows[spans(self._starts[numbers], self._sizes[numbers])]

    def sizes(self, numbers: Numbers) -> Numbers:
        return self._sizes[numbers]

    def record(self) -> dict[str, Any]:
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
