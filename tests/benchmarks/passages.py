"""Passages found by their vectors: the best of many for each query, by inner product, beside NumPy.

Vectors are made up, as wide as those of a dual encoder of 2 layers x 128; making vectors of texts is not timed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from switchrank.search.nearest import nearest
from tests.benchmarks.clock import alone, fastest
from tests.benchmarks.inputs import cluster_centres, clustered_vectors
from tests.benchmarks.machine import gemm_rate, package_version, threads
from tests.benchmarks.row import Row, timed

Floats = NDArray[np.float32]

DIMENSIONS = 128
CENTRES, NOISE = 5000, 0.05
PASSAGES = {"small": 100_000, "large": 1_000_000}
QUERIES, DEPTH = 2_000, 100
PEER_BLOCK = 100
"""Queries of which the peer holds all products at a time: 400 MB for a million passages."""
ROUNDING = 1e-5


def passages(scale: str) -> list[Row]:
    """Row ``passages``: the best 100 of a million (``small``: 100,000) for each of 2,000 queries."""
    count = PASSAGES[scale]
    with _vectors(count) as folder:
        tenth = alone(_ours, folder, count // 10)
        ours, peer = fastest(2, partial(alone, _ours, folder, count), partial(alone, _numpy, folder, count))
    largest = float(np.abs(ours.result - peer.result).max())
    if not largest <= ROUNDING:
        raise AssertionError(f"scores differ by {largest}")
    return [
        timed(
            ours,
            name="passages",
            size=f"{QUERIES:,} queries x {count:,} passages, {DIMENSIONS} dimensions, the best {DEPTH}",
            peer=peer.seconds,
            peer_name=f"numpy float32, blocks of {PEER_BLOCK}",
            peer_version=package_version("numpy"),
            floor=2 * QUERIES * count * DIMENSIONS / gemm_rate(),
            checked=f"Scores of all {QUERIES * DEPTH:,} places within {largest:.1e}.",
            note=f"Memory grows by {ours.growth_mb:,.0f} MB, with a tenth of the passages by "
            f"{tenth.growth_mb:,.0f} MB; the vectors take {count * DIMENSIONS * 4 / 1e6:,.0f} MB.",
        )
    ]


@contextmanager
def _vectors(count: int) -> Iterator[Path]:
    """A folder with the vectors of passages and queries as ``.npy`` files."""
    rng = np.random.default_rng(1)
    centres = cluster_centres(CENTRES, DIMENSIONS, rng)
    with tempfile.TemporaryDirectory() as name:
        for part, rows in (("passages", count), ("queries", QUERIES)):
            np.save(Path(name, f"{part}.npy"), clustered_vectors(rows, DIMENSIONS, centres, NOISE, rng))
        yield Path(name)


def _loaded(folder: Path, count: int) -> tuple[Floats, Floats]:
    return np.load(folder / "queries.npy"), np.load(folder / "passages.npy", mmap_mode="r")[:count].copy()


def _ours(folder: Path, count: int) -> Callable[[], Floats]:
    queries, base = _loaded(folder, count)
    return lambda: nearest(queries, base, DEPTH, threads=threads())[0]


def _numpy(folder: Path, count: int) -> Callable[[], Floats]:
    queries, base = _loaded(folder, count)

    def best(block: Floats) -> Floats:
        scores = block @ base.T
        return -np.sort(-np.partition(scores, -DEPTH, axis=1)[:, -DEPTH:], axis=1)

    return lambda: np.concatenate([best(queries[at : at + PEER_BLOCK]) for at in range(0, QUERIES, PEER_BLOCK)])
