"""Which target vector is the best for a source vector, and which pairs are each other's best.

Every criterion is of one form, ``scale <x, y> - p(x) - p(y)``, where the penalty ``p`` of a vector depends on the other
set. As ``p(x)`` is the same for all ``y``, the best ``y`` maximise the inner product of ``(scale x, -1)`` with
``(y, p(y))``: one more dimension, and a plain search. ``nn`` is the inner product (cosine, for unit vectors). CSLS
(Conneau, Lample, Ranzato, Denoyer and Jegou 2018, arXiv 1710.04087, section 2.3) is ``2 cos(x, y) - r(x) - r(y)``,
where ``r`` is a vector's mean cosine to its nearest neighbours in the other set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from switchrank.search.choices import EXACT, Choice, Criterion
from switchrank.search.nearest import Floats, Indices, Nearest, nearest

ROUNDING = 1e-5
"""More than the error of a score of unit vectors in float32; scores closer than this are equal."""


@dataclass(frozen=True)
class Rule:
    """A criterion: the weight of inner products, and the penalty ``(rows, others, neighbours, **how)``, if any."""

    scale: float = 1.0
    penalty: Callable[..., Floats] | None = None


def mean_of_nearest(rows: Floats, others: Floats, neighbours: int, **how: Any) -> Floats:
    """The mean inner product of each row with its nearest others that were found; 0 if there are none."""
    scores, ids = nearest(rows, others, neighbours, **how)
    found = ids >= 0
    sums = np.where(found, scores, 0).sum(axis=1, dtype=np.float64)
    return np.asarray(sums / np.maximum(found.sum(axis=1), 1), dtype=np.float32)


RULES: dict[Criterion, Rule] = {
    "nn": Rule(),
    "csls": Rule(scale=2.0, penalty=mean_of_nearest),
}


class Matcher:
    """Finds the best of each other in two sets of vectors under a criterion.

    Args:
        source, target: float32 ``(n, d)`` and ``(m, d)``.
        neighbours: how many nearest of the other set a penalty looks at.
    """

    def __init__(
        self,
        source: Floats,
        target: Floats,
        criterion: Criterion,
        *,
        neighbours: int = 10,
        search: Choice = EXACT,
        threads: int = 1,
    ) -> None:
        self.source, self.target, self.search = source, target, search
        self._rule, self._neighbours, self._threads = RULES[criterion], neighbours, threads
        self._of_source = self._penalty(source, target, search, "source means")
        self._of_target = self._penalty(target, source, search, "target means")

    def best_targets(self, k: int = 1) -> Nearest:
        """Scores and target rows for every source row, as :func:`switchrank.search.nearest.nearest` gives them."""
        return self._best(self.source, self._of_source, self.target, self._of_target, k, "translations")

    def best_sources(self, k: int = 1) -> Nearest:
        """The same from the other side."""
        return self._best(self.target, self._of_target, self.source, self._of_source, k, "translations back")

    def mutual(self, found: Indices) -> NDArray[np.bool_]:
        """Which source rows are the best of their own best target row ``found``; both ``(n,)``."""
        back = self.best_sources()[1][:, 0]
        return np.asarray((found >= 0) & (back[found] == np.arange(len(found))))

    def exact_best(self, rows: Indices, found: Indices, pool: int) -> NDArray[np.bool_]:
        """Whether ``found`` is the best target row of some source ``rows`` by an exact search, ties aside; ``(r,)``.

        Exact penalties are computed for the candidates: what was found, and each row's ``pool`` best under the usual
        penalties.
        """
        asked = self.source[rows]
        likely = self._best(asked, None, self.target, self._of_target, pool, "recall", EXACT)[1]
        some = np.unique(np.append(likely, found[found >= 0]))
        base, penalty = self.target[some], self._penalty(self.target[some], self.source, EXACT, "recall means")
        best = self._best(asked, None, base, penalty, 1, None, EXACT)[0][:, 0]
        place = np.searchsorted(some, np.maximum(found, some[0]))
        scores = self._rule.scale * np.einsum("ij,ij->i", asked, base[place], dtype=np.float64)
        if penalty is not None:
            scores -= penalty[place]
        return np.asarray((found >= 0) & (scores >= best - ROUNDING))

    def _penalty(self, rows: Floats, others: Floats, search: Choice, what: str) -> Floats | None:
        penalty = self._rule.penalty
        how: dict[str, Any] = {"search": search, "threads": self._threads, "what": what}
        return None if penalty is None else penalty(rows, others, self._neighbours, **how)

    def _best(
        self,
        queries: Floats,
        subtracted: Floats | None,
        base: Floats,
        penalty: Floats | None,
        k: int,
        what: str | None,
        search: Choice | None = None,
    ) -> Nearest:
        def prepare(block: Floats) -> Floats:
            rows = block * np.float32(self._rule.scale)
            return rows if penalty is None else np.column_stack([rows, np.full(len(rows), -1, np.float32)])

        rows = base if penalty is None else np.column_stack([base, penalty])
        how: dict[str, Any] = {"search": search or self.search, "threads": self._threads, "what": what}
        scores, ids = nearest(queries, rows, k, prepare=prepare, **how)
        return (scores if subtracted is None else scores - subtracted[:, None]), ids
