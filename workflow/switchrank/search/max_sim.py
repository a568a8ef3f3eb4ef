"""MaxSim, exactly: candidates are scored, and a small collection is searched by comparing every document.

Each pair is compared by itself, so that its score depends on nothing but its two texts: not on the other documents, the
other queries, threads, or whether all documents are searched. Equal texts have equal scores.
"""

from typing import Protocol

import numpy as np

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.search.blocks import Floats, Indices, in_threads, one_core

MOST = 1_000_000
"""Vectors of tokens that all documents may have to be searched one by one."""
_QUERIES = 16
"""Queries that a thread compares with each document at a time."""


class TokenVectors(Protocol):
    """The vectors of the tokens of texts: those of text i are ``vectors[i]``, float32 ``(tokens, d)``."""

    def __len__(self) -> int: ...
    def __getitem__(self, number: int, /) -> Floats: ...
    @property
    def tokens(self) -> int:
        """Vectors of all texts together."""


def max_sim(query: Floats, document: Floats) -> np.float32:
    """The sum over the tokens of a query of the largest inner product with a token of a document.

    Khattab and Zaharia 2020, arXiv 2004.12832, section 3.3.

    Args:
        query: unit vectors, float32 ``(tokens, d)``.
        document: the same; one without any token matches nothing, and its score is 0.

    >>> query, document = np.eye(3, dtype=np.float32)[:2], np.eye(3, dtype=np.float32)[1:]
    >>> max_sim(query, document)
    np.float32(1.0)
    """
    if not len(document):
        return np.float32(0)
    return np.float32((query @ document.T).max(axis=1).sum(dtype=np.float64))


def score_pairs(
    queries: TokenVectors, documents: TokenVectors, query: Indices, document: Indices, *, what: str | None = None
) -> Floats:
    """The MaxSim of pairs, float32 ``(n,)``; each document is read once, and memory holds one of them.

    Args:
        queries, documents: vectors of the tokens of all texts.
        query, document: the numbers of the two texts of each pair, int64 ``(n,)``.
        what: name of a progress bar.
    """
    scores, order = np.empty(len(query), np.float32), np.argsort(document, kind="stable")
    numbers, starts = np.unique(document[order], return_index=True)
    asked: dict[int, Floats] = {}
    with one_core(), progress(total=len(query), what=what, unit="pairs") as bar:
        for number, pairs in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True):
            vectors = documents[number]
            for pair in pairs.tolist():
                one = int(query[pair])
                if one not in asked:
                    asked[one] = queries[one]
                scores[pair] = max_sim(asked[one], vectors)
            bar.update(len(pairs))
    return scores


def search(
    queries: TokenVectors,
    documents: TokenVectors,
    k: int,
    *,
    numbers: Indices | None = None,
    threads: int = 1,
    what: str | None = None,
) -> tuple[Indices, Floats]:
    """The ``k`` documents with the largest MaxSim with each query, of all that there are.

    Memory is that of some queries, and of their scores with all documents. Threads change no byte.

    Args:
        queries, documents: vectors of the tokens of texts.
        k: documents per query; of fewer documents, all are found.
        numbers: the number of each document, int64 ``(n,)``, all different: of equal scores the lower number comes
            first; default: its place, from 0.
        threads: CPU threads.
        what: name of a progress bar.

    Returns:
        Numbers, int64, and scores, float32, both ``(q, min(k, n))``, best first.

    Raises:
        UserError: ``k`` is not positive, or documents have more than :data:`MOST` vectors.
    """
    if k < 1:
        raise UserError("search", "k", f"{k} documents per query", "give 1 or more")
    if documents.tokens > MOST:
        problem = f"{documents.tokens:,} vectors of tokens, and every query is compared with each (at most {MOST:,})"
        raise UserError("search", "documents", problem, "re-rank candidates of BM25 or of a dual encoder")
    own = np.arange(len(documents)) if numbers is None else numbers
    kept = min(k, len(documents))

    def look(block: slice) -> tuple[Indices, Floats]:
        asked = [queries[number] for number in range(block.start, block.stop)]
        scores = np.empty((len(asked), len(documents)), np.float32)
        for place in range(len(documents)):
            vectors = documents[place]
            scores[:, place] = [max_sim(query, vectors) for query in asked]
        order = np.array([np.lexsort((own, -row))[:kept] for row in scores])
        bar.update(len(asked))
        return own[order], np.take_along_axis(scores, order, axis=1)

    with one_core(), progress(total=len(queries), what=what, unit="queries") as bar:
        parts = in_threads(look, len(queries), size=_QUERIES, threads=threads)
    found = [np.empty((0, kept), np.int64), *(numbers for numbers, _ in parts)]
    scores = [np.empty((0, kept), np.float32), *(scores for _, scores in parts)]
    return np.concatenate(found), np.concatenate(scores)
