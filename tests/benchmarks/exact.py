"""Exact search of vectors that come in shards, beside FAISS's own search of the same shards, and its memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from switchrank.search.exact import search
from tests.benchmarks.clock import alone, fastest
from tests.benchmarks.inputs import cluster_centres, clustered_vectors
from tests.benchmarks.machine import gemm_rate, package_version, threads
from tests.benchmarks.row import Row, timed

Floats = NDArray[np.float32]

DIMENSIONS = 384
CENTRES, NOISE = 5000, 0.05
DOCUMENTS = {"small": 100_000, "large": 1_000_000}
SHARD = 25_000
QUERIES, DEPTHS = 2_000, (100, 1_000)
ROUNDING = 1e-5


def exact(scale: str) -> list[Row]:
    """The best 100 and the best 1,000 of a million documents (``small``: 100,000) for each of 2,000 queries."""
    count = DOCUMENTS[scale]
    with tempfile.TemporaryDirectory() as name:
        _write(Path(name), count)
        return [_row(Path(name), count, depth) for depth in DEPTHS]


def _row(folder: Path, count: int, depth: int) -> Row:
    ours, peer = fastest(2, *(partial(alone, side, folder, count, depth) for side in (_ours, _faiss)))
    more = alone(_ours, folder, 4 * count, depth)
    apart = float(np.abs(ours.result - peer.result).max())
    if not apart <= ROUNDING:
        raise AssertionError(f"scores differ by {apart}")
    return timed(
        ours,
        name="exact-search",
        size=f"{QUERIES:,} queries x {count:,} documents in shards of {SHARD:,}, {DIMENSIONS} dimensions, "
        f"the best {depth:,}",
        peer=peer.seconds,
        peer_name="IndexFlatIP.search of each shard, which are not put together,",
        peer_version=package_version("faiss-cpu"),
        required_ratio=0.9,
        floor=2 * QUERIES * count * DIMENSIONS / gemm_rate(),
        checked=f"Scores of all {QUERIES * depth:,} places within {apart:.1e}.",
        note=f"Shards are read from a file on both sides. Memory grows by {ours.growth_mb:,.0f} MB; with four times "
        f"the documents by {more.growth_mb:,.0f} MB, where vectors are {16 * count * DIMENSIONS / 1e6:,.0f} MB.",
    )


def _write(folder: Path, count: int) -> None:
    """Queries, and four times ``count`` documents, drawn shard by shard from the same clusters."""
    rng = np.random.default_rng(1)
    centres = cluster_centres(CENTRES, DIMENSIONS, rng)
    np.save(folder / "queries.npy", clustered_vectors(QUERIES, DIMENSIONS, centres, NOISE, rng))
    with (folder / "documents").open("wb") as file:
        for _ in range(0, 4 * count, SHARD):
            clustered_vectors(SHARD, DIMENSIONS, centres, NOISE, rng).tofile(file)


def _shards(folder: Path, count: int) -> Iterator[Floats]:
    with (folder / "documents").open("rb") as file:
        for _ in range(0, count, SHARD):
            yield np.fromfile(file, np.float32, SHARD * DIMENSIONS).reshape(SHARD, DIMENSIONS)


def _ours(folder: Path, count: int, depth: int) -> Callable[[], Floats]:
    queries = np.load(folder / "queries.npy")
    return lambda: search(_shards(folder, count), queries, depth, threads=threads())[1]


def _faiss(folder: Path, count: int, depth: int) -> Callable[[], Callable[[], Floats]]:
    import faiss

    faiss.omp_set_num_threads(threads())
    queries, index = np.load(folder / "queries.npy"), faiss.IndexFlatIP(DIMENSIONS)

    def each() -> Callable[[], Floats]:
        found = []
        for shard in _shards(folder, count):
            index.reset()
            index.add(shard)
            found.append(index.search(queries, depth)[0])
        return lambda: -np.sort(-np.concatenate(found, axis=1), axis=1)[:, :depth]

    return each
