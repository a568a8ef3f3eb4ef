"""BM25 everywhere: bm25s over look-up keys of words, k1 = 0.9 and b = 0.4, no stemming, no stop words.

The Lucene variant (Kamphuis et al. 2020, doi:10.1007/978-3-030-45442-5_4) with the parameters of Anserini's MS MARCO
baseline. Queries are known when the index is built, so words that are in no query only count towards document length:
scores are those of the full index, memory is that of the query words.
"""

from array import array
from collections.abc import Iterable, Sequence
from functools import cache
from typing import cast

import bm25s
import numpy as np
from numpy.typing import NDArray

from switchrank.core.progress import progress
from switchrank.text.words import Splitter, key

K1 = 0.9
B = 0.4
_OTHER = 0
"""The number of all words that are in no query."""


class Bm25:
    """BM25 scores of fixed documents for fixed queries.

    Args:
        documents: texts; document i keeps the number i.
        queries: texts; query i keeps the number i. A word that occurs twice in a query counts twice.
        split: word splitter of the documents' language.
        split_queries: word splitter of the queries' language, by default the same.
    """

    def __init__(
        self,
        documents: Sequence[str],
        queries: Iterable[str],
        *,
        split: Splitter,
        split_queries: Splitter | None = None,
    ) -> None:
        words = [[key(word) for word in (split_queries or split)(text)[0]] for text in queries]
        terms = {term: number for number, term in enumerate(dict.fromkeys(w for query in words for w in query), 1)}
        number = cache(lambda word: terms.get(key(word), _OTHER))
        held = [
            array("i", map(number, split(text)[0])) for text in progress(documents, what="BM25 index", unit="documents")
        ]
        self._queries = [[terms[word] for word in query] for query in words]
        self._size = len(held)
        self._index = bm25s.BM25(k1=K1, b=B, method="lucene")
        if any(len(document) for document in held):
            self._index.index((held, {"": _OTHER, **terms}), create_empty_token=False, show_progress=False)
        else:
            self._queries = [[] for _ in words]

    def scores(self, query: int) -> NDArray[np.float32]:
        """Scores of all documents for query number ``query``, shape ``(documents,)``; 0 where no word is shared."""
        terms = self._queries[query]
        scores = self._index.get_scores_from_ids(terms) if terms else np.zeros(self._size, dtype=np.float32)
        return cast("NDArray[np.float32]", scores)


def best(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Numbers of at most ``k`` documents with a score above 0, best first, equal scores by ascending number."""
    hits = np.flatnonzero(scores > 0)
    if len(hits) > k:
        threshold = np.partition(scores[hits], len(hits) - k)[len(hits) - k]
        hits = hits[scores[hits] >= threshold]
    return hits[np.argsort(-scores[hits], kind="stable")][:k]
