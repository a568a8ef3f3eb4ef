"""Exact search of whole collections: the documents with the largest inner products with each query, in little memory.

Documents come in shards, each of which is looked at once. In a block of them FAISS finds the likely best by products of
matrices, whose rounding depends on what is multiplied together. Of these few, the inner product with the query is then
computed for each by itself. So neither scores nor what is found depend on shards, threads or the other queries, and
equal vectors have equal scores.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import faiss
import numpy as np

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.search.blocks import ROUNDING, Floats, Indices, in_threads, one_core

_ROWS = 65_536
"""Documents of a block."""
_QUERIES = 1024
_SPARE = 8
"""How many more than likely wanted are looked at in a block at least, so that rounding seldom hides one."""
_NONE = np.iinfo(np.int64).max
"""The number of no document; it comes after all others."""


def search(
    vectors: Iterable[Floats],
    queries: Floats,
    k: int,
    *,
    numbers: Indices | None = None,
    threads: int = 1,
    what: str | None = None,
) -> tuple[Indices, Floats]:
    """The ``k`` documents with the largest inner products with each query, of all that there are.

    Memory is that of a block of documents, and of what is found. Equal input gives equal bytes for any shards and any
    number of threads.

    Args:
        vectors: shards, float32 ``(some, d)`` each, of any sizes; together the documents in order. A shard may be a
            memory-mapped file of any size, and one array of all is a shard too.
        queries: float32 ``(q, d)``.
        k: documents per query; of fewer documents, all are found.
        numbers: the number of each document, int64 ``(n,)``, all different: of equal scores the lower number comes
            first; default: its place, from 0.
        threads: CPU threads.
        what: name of a progress bar.

    Returns:
        Numbers, int64, and inner products, float32, both ``(q, min(k, n))``, best first.

    Raises:
        UserError: ``k`` is not positive; vectors that differ in their dimensions, or are not finite.

    >>> documents = np.eye(3, dtype=np.float32)
    >>> numbers, scores = search([documents[:2], documents[2:]], documents[1:] * 0.5, 2)
    >>> numbers.tolist()
    [[1, 0], [2, 0]]
    """
    if k < 1:
        raise UserError("search", "k", f"{k} documents per query", "give 1 or more")
    queries = np.ascontiguousarray(queries, dtype=np.float32)
    lengths = _lengths(queries, queries.shape[1], "queries")
    k = k if numbers is None else min(k, len(numbers))
    found = np.full((len(queries), k), _NONE)
    scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
    size = max(1, min(_QUERIES, -(-len(queries) // threads)))
    first = 0
    with one_core(), progress(what=what, unit="documents") as bar:
        for block in _blocks(vectors):
            some = slice(first, first + len(block))
            own = np.arange(some.start, some.stop) if numbers is None else numbers[some]
            asked = _asked(k, first, len(block))
            slack = ROUNDING * _lengths(block, queries.shape[1], "documents").max() * lengths

            def look(
                part: slice, block: Floats = block, own: Indices = own, slack: Floats = slack, asked: int = asked
            ) -> None:
                before = found[part], scores[part]
                found[part], scores[part] = _best(queries[part], block, own, *before, slack[part], asked)

            in_threads(look, len(queries), size=size, threads=threads)
            first = some.stop
            bar.update(len(block))
    return found[:, :first], scores[:, :first]


def inner_products(queries: Floats, query: Indices, rows: Floats, row: Indices) -> Floats:
    """The inner products of some queries with some rows as :func:`search` computes them, float32 ``(n,)``.

    Args:
        queries: float32 ``(q, d)``.
        query: the number of the query of each product, int64 ``(n,)``.
        rows: float32 ``(m, d)``.
        row: the number of its row, likewise.
    """
    arrays = [np.ascontiguousarray(one, dtype=np.float32) for one in (queries, rows)]
    places = [np.ascontiguousarray(one, dtype=np.int64) for one in (query, row)]
    products = np.empty(len(query), dtype=np.float32)
    sides = [faiss.swig_ptr(one) for pair in zip(arrays, places, strict=True) for one in pair]
    if len(query):
        compute: Any = faiss.pairwise_indexed_inner_product  # type: ignore[attr-defined]
        compute(queries.shape[1], len(query), *sides, faiss.swig_ptr(products))
    return products


def _blocks(vectors: Iterable[Floats]) -> Iterator[Floats]:
    for shard in [vectors] if isinstance(vectors, np.ndarray) else vectors:
        for start in range(0, len(shard), _ROWS):
            yield np.ascontiguousarray(shard[start : start + _ROWS], dtype=np.float32)


def _asked(k: int, before: int, size: int) -> int:
    """How many documents FAISS is asked for in a block of ``size`` that comes after ``before`` others.

    All ``k`` may be in the first block; of a later one as many belong to the best as its share of all so far says,
    give or take the square root of that, if documents are in no order.
    """
    expected = k * size / (before + size)
    return min(k + k // 16, round(expected + 4 * math.sqrt(expected))) + _SPARE


def _lengths(rows: Floats, dimensions: int, what: str) -> Floats:
    """How long rows are, ``(n,)``; raises UserError where they cannot be compared."""
    if rows.shape[1:] != (dimensions,):
        problem = f"{rows.shape[-1]} dimensions, where queries have {dimensions}"
        raise UserError("search", what, problem, "encode both with one model")
    squares: Floats = np.einsum("ij,ij->i", rows, rows)
    if not np.isfinite(squares).all():
        raise UserError("search", what, "vectors that are not finite", "encode them again, in fp32")
    return np.sqrt(squares)


def _best(
    queries: Floats, block: Floats, own: Indices, numbers: Indices, scores: Floats, slack: Floats, asked: int
) -> tuple[Indices, Floats]:
    """The best of what was found before, ``numbers`` and ``scores``, and of a block, whose rows have ``own`` numbers.

    FAISS is asked for so many, and for more where one that it leaves out could be as good: its scores are off by less
    than ``slack``.
    """
    likely, rows = faiss.knn(queries, block, min(asked, len(block)), metric=faiss.METRIC_INNER_PRODUCT)
    kept = likely >= (scores[:, -1] - slack)[:, None]
    width = int(kept.sum(axis=1).max(initial=0))
    kept, rows = kept[:, :width], rows[:, :width]
    query, column = np.nonzero(kept)
    exact = np.full(kept.shape, -np.inf, dtype=np.float32)
    exact[query, column] = inner_products(queries, query, block, rows[query, column])
    every = np.concatenate([numbers, np.where(kept, own[rows], _NONE)], axis=1)
    products = np.concatenate([scores, exact], axis=1)
    order = _order(every, products)[:, : numbers.shape[1]]
    best, best_scores = (np.take_along_axis(one, order, axis=1) for one in (every, products))
    if asked < len(block):
        unsure = np.flatnonzero(likely[:, -1] + slack >= best_scores[:, -1])
        if len(unsure):
            before = numbers[unsure], scores[unsure], slack[unsure]
            best[unsure], best_scores[unsure] = _best(queries[unsure], block, own, *before, 4 * asked)
    return best, best_scores


def _order(numbers: Indices, products: Floats) -> Indices:
    """The order of each row by falling products, of equal ones by ascending numbers; few rows have any."""
    order = np.argsort(-products, axis=1, kind="stable")
    ranked = np.take_along_axis(products, order, axis=1)
    tied = np.flatnonzero(((ranked[:, 1:] == ranked[:, :-1]) & np.isfinite(ranked[:, 1:])).any(axis=1))
    order[tied] = np.lexsort((numbers[tied], -products[tied]), axis=1)
    return order
