"""What searches by FAISS have in common: blocks of rows, several at a time, each on one core."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from switchrank.core.progress import progress

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

ROUNDING = 1e-5
"""More than the error of a score of unit vectors in float32; scores closer than this are equal."""


@contextmanager
def one_core() -> Iterator[None]:
    """FAISS on one core, with products of matrices for any number of queries."""
    cores, fewest = faiss.omp_get_max_threads(), faiss.cvar.distance_compute_blas_threshold
    faiss.omp_set_num_threads(1)
    faiss.cvar.distance_compute_blas_threshold = 1
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        faiss.cvar.distance_compute_blas_threshold = fewest
        faiss.omp_set_num_threads(cores)


def pool(threads: int) -> ThreadPoolExecutor:
    """Threads in each of which FAISS computes on one core."""
    return ThreadPoolExecutor(threads, initializer=faiss.omp_set_num_threads, initargs=(1,))


def in_threads(
    work: Callable[[slice], Any], count: int, *, size: int, threads: int, what: str | None = None
) -> list[Any]:
    """The results of ``work`` on blocks of ``count`` rows, in order; the blocks do not depend on the number of threads.

    Args:
        work: what is done with the rows of a block.
        size: rows of a block at most.
        what: name of a progress bar.
    """
    edges = np.linspace(0, count, -(-count // size) + 1).astype(int)
    blocks = [slice(*pair) for pair in pairwise(edges.tolist())]

    def one(block: slice) -> Any:
        done = work(block)
        bar.update(block.stop - block.start)
        return done

    with pool(threads) as workers, progress(total=count, what=what, unit="words") as bar:
        try:
            return list(workers.map(one, blocks))
        except BaseException:
            workers.shutdown(cancel_futures=True)
            raise
