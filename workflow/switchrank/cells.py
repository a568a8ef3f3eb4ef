"""Approximate search: which pairs of rows an inverted file (IVF) compares.

The target rows are divided into cells by k-means; a source row meets the rows of the cells whose centres are
nearest to it and no others (Jegou, Douze and Schmid 2011, Product quantization for nearest neighbor search, section
IV.A). Source rows that visit a cell are taken together, so that the work stays a product of matrices.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from switchrank.neighbours import Floats, Indices, Pairs, Side, top_k

ROUNDS = (8, 16, 32)
"""Rows for each cell that k-means looks at, round by round: early centres move far, and need few rows to know where."""
SEED = 1


def cell_pairs(source: Floats, target: Floats, *, probes: int, cells: int | None = None, threads: int = 1) -> Pairs:
    """For each cell the source rows that visit it and the target rows in it.

    Equal input gives equal pairs, whatever the number of threads.

    Args:
        probes: cells a source row visits.
        cells: into how many the target rows are divided, fewer if there are fewer rows; default: the square root of
            twice their number.
    """
    count = min(cells or max(1, round((2 * len(target)) ** 0.5)), len(target))
    centres = _centres(target, count, threads)
    home = top_k(Side(target), Side(centres), 1, threads=threads, what="cells of target words")[1]
    visited = top_k(Side(source), Side(centres), probes, threads=threads, what="cells of source words")[1]
    pairs = zip(_by_cell(visited, count), _by_cell(home, count), strict=True)
    return [(sources, targets) for sources, targets in pairs if len(sources) and len(targets)]


def _centres(target: Floats, count: int, threads: int) -> Floats:
    """Unit centres of seeded samples of rows, by Lloyd's algorithm on the sphere; an empty cell keeps its centre."""
    order = np.random.default_rng(SEED).permutation(len(target))
    centres = Side(target).rows(np.sort(order[:count])).copy()
    for each in ROUNDS:
        sample = Side(target).rows(np.sort(order[: count * each]))
        home = top_k(Side(sample), Side(centres), 1, threads=threads, what="cells")[1]
        for cell, rows in enumerate(_by_cell(home, count)):
            total = sample[rows].sum(axis=0)
            length = np.linalg.norm(total)
            if length > 0:
                centres[cell] = total / length
    return centres


def _by_cell(cells: Indices, count: int) -> list[NDArray[np.int64]]:
    """The rising row numbers that hold each cell; ``cells`` is ``(rows, cells of a row)``."""
    order = np.argsort(cells, axis=None, kind="stable")
    edges = np.searchsorted(cells.ravel()[order], np.arange(count + 1))
    rows = order // cells.shape[1]
    return [rows[start:stop] for start, stop in pairwise(edges)]
