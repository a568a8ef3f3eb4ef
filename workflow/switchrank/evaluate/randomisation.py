"""Fisher's randomisation test: how often would signs given by chance make the mean difference as large as it is?

Two-sided and paired, as Smucker, Allan and Carterette (2007, "A comparison of statistical significance tests for
information retrieval evaluation", CIKM, doi:10.1145/1321440.1321528) recommend it for per-query scores: under the null
hypothesis the two systems of a query could change places, so each difference may as well have the other sign.
"""

from __future__ import annotations

from math import fsum

import numpy as np
from numpy.typing import NDArray

from switchrank.core.errors import UserError

TIE = 1e-12
"""Sums that differ by less than this share of the sum of magnitudes are equal but for rounding, and count as ties."""
_CACHED = 2**19
"""Signs held at once (4 MiB as float64): what fits the processor's cache is multiplied several times faster."""


def fisher(differences: NDArray[np.float64], *, permutations: int, random: np.random.Generator) -> list[float]:
    """Two-sided p of each row of paired differences.

    Args:
        differences: float64 of shape ``(systems, queries)``; rounding noise should be 0 already.
        permutations: up to this many sign patterns a row is enumerated and its p exact; beyond, so many are drawn.
        random: its signs are shared by all rows, so that a row's p does not depend on which others are there.

    Queries without a difference have no sign to flip and are left out: p is that of all 2^queries patterns. A drawn
    p is ``(1 + hits) / (1 + permutations)``, never 0 (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585): the
    observed signs are one of the patterns. Memory is bounded by ``permutations`` doubles and a few MiB.

    Raises:
        UserError: fewer than one permutation.
    """
    if permutations < 1:
        raise UserError("evaluate", "permutations", f"{permutations} is too few", "write 100000 or more")
    counts = np.count_nonzero(differences, axis=1)
    few = [2 ** int(count) <= permutations for count in counts]
    p_values = [_enumerated(row[row != 0]) if is_few else 1.0 for row, is_few in zip(differences, few, strict=True)]
    drawn = [row for row, is_few in enumerate(few) if not is_few]
    if drawn:
        for row, p_value in zip(drawn, _drawn(differences[drawn], permutations, random), strict=True):
            p_values[row] = float(p_value)
    return p_values


def _least(row: NDArray[np.float64]) -> float:
    """The least magnitude of a sum that counts as at least as extreme as the sum of ``row``."""
    return abs(fsum(row)) - TIE * fsum(np.abs(row))


def _enumerated(row: NDArray[np.float64]) -> float:
    sums = np.zeros(1)
    for difference in row:
        sums = np.concatenate([sums + difference, sums - difference])
    return float(np.mean(np.abs(sums) >= _least(row)))


def _drawn(rows: NDArray[np.float64], permutations: int, random: np.random.Generator) -> NDArray[np.float64]:
    """A sign of -1 or +1 is twice a bit less one: the sum is twice that of the rows' differences whose bit is set."""
    queries = rows.shape[1]
    columns = np.ascontiguousarray(rows.T)
    totals = columns.sum(axis=0)
    least = np.array([_least(row) for row in rows])
    words = -(-queries // 64) * 8
    block = max(1, _CACHED // queries)
    chosen = np.empty((block, queries))
    hits = np.zeros(len(rows), dtype=np.int64)
    for start in range(0, permutations, block):
        size = min(block, permutations - start)
        bits = np.frombuffer(random.bytes(size * words), dtype=np.uint8).reshape(size, words)
        chosen[:size] = np.unpackbits(bits, axis=1, count=queries)
        hits += np.count_nonzero(np.abs(2 * (chosen[:size] @ columns) - totals) >= least, axis=0)
    return (1 + hits) / (1 + permutations)
