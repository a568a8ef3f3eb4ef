"""What an encoder finds in an index, and in which order a ranker puts it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from switchrank.models.catalogue import entry_of
from switchrank.models.dual_encoder import DualEncoder
from switchrank.models.obtain import obtained
from switchrank.rank.inference import Inference
from switchrank.rank.score import Reranker
from switchrank.search.exact import search
from switchrank.serve.index import Index, open_index
from switchrank.serve.links import Links, Span
from switchrank.serve.options import Searched, check_numbers, checked_query

SHOWN = 600
"""Characters of a document that are shown."""


@dataclass(frozen=True)
class Hit:
    """A document that was found.

    Attributes:
        rank: from 1.
        score: cosine of the vectors of query and document, or the logit of the ranker.
        text: its beginning.
        retrieved_rank: of a re-ranked document: where the encoder had it.
        links: phrases of ``text`` that a lexicon links with the query (:class:`switchrank.serve.links.Links`).
    """

    rank: int
    docid: str
    score: float
    text: str
    retrieved_rank: int
    links: Sequence[Span] = ()


@dataclass(frozen=True)
class Found:
    """The answer to a query.

    Attributes:
        links: linked phrases of the query.
        retrieved: the documents whose vectors are nearest, the nearest first.
        reranked: the first ones by the ranker among all that it was given; None without a ranker.
        seconds: of each stage: ``encode`` the query, ``search``, and ``rerank``.
    """

    query: str
    retrieved: Sequence[Hit]
    reranked: Sequence[Hit] | None = None
    links: Sequence[Span] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """The same as JSON-plain values."""
        return asdict(self)


class Searcher:
    """Searches an index with one encoder and perhaps one ranker; calls must not overlap.

    >>> searched = Searched("models/hybrid/xx-xx/seed1", "docs.tsv", ranker="models/ml-cs/xx-xx/seed1")
    >>> found = open_searcher(searched).search("Wer schrieb Faust?", top=3)  # doctest: +SKIP
    >>> [(hit.docid, hit.score) for hit in found.reranked]  # doctest: +SKIP
    [('goethe-7', 4.1), ('faust-2', 3.6), ('schiller-1', -0.3)]

    Attributes:
        names: what the encoder and the ranker are called; None without a ranker.
    """

    def __init__(
        self,
        index: Index,
        encoder: DualEncoder,
        reranker: Reranker | None = None,
        links: Links | None = None,
        names: tuple[str, str | None] = ("encoder", None),
    ) -> None:
        self._index, self._encoder, self._reranker, self._links = index, encoder, reranker, links
        self.names = names

    def __len__(self) -> int:
        """How many documents are searched."""
        return len(self._index.vectors)

    def search(self, query: str, *, top: int = 10, depth: int = 100) -> Found:
        """Search for a query.

        Args:
            top: documents of each list.
            depth: documents that are re-ranked.

        Raises:
            UserError: a query of nothing, or that is too long; numbers that are not offered.
        """
        query = checked_query(query)
        check_numbers(top, depth)
        seconds: dict[str, float] = {}
        with _timed(seconds, "encode"):
            vector = self._encoder.encode([query], "query")
        with _timed(seconds, "search"):
            numbers, scores = search([self._index.vectors], vector, max(top, depth if self._reranker else 0))
            rows = self._index.texts.rows(numbers[0].tolist())
        retrieved = [
            Hit(rank, docid, float(score), text, rank)
            for rank, ((docid, text), score) in enumerate(zip(rows, scores[0], strict=True), 1)
        ]
        found = Found(query, retrieved[:top], seconds=seconds)
        if self._reranker:
            with _timed(seconds, "rerank"):
                found = replace(found, reranked=self._reranked(self._reranker, query, retrieved[:depth])[:top])
        return self._shown(found)

    def _reranked(self, reranker: Reranker, query: str, hits: Sequence[Hit]) -> list[Hit]:
        """The same by falling logits; equal ones keep their order."""
        logits = reranker.logits(query, [hit.text for hit in hits])
        order = np.argsort(-logits, kind="stable").tolist()
        return [replace(hits[at], rank=rank, score=float(logits[at])) for rank, at in enumerate(order, 1)]

    def _shown(self, found: Found) -> Found:
        """With the beginnings of texts, and the phrases in them that lexicons link."""
        lists = [found.retrieved, found.reranked or []]
        texts = {hit.docid: _beginning(hit.text) for hits in lists for hit in hits}
        asked, linked = self._links.between(found.query, list(texts.values())) if self._links else ([], [])
        spans = dict(zip(texts, linked or [[]] * len(texts), strict=True))
        retrieved, reranked = (
            [replace(hit, text=texts[hit.docid], links=spans[hit.docid]) for hit in hits] for hits in lists
        )
        return replace(found, retrieved=retrieved, reranked=None if found.reranked is None else reranked, links=asked)


def open_searcher(searched: Searched) -> Searcher:
    """Open the models, and open the index or make it; UserError for what cannot be had, or does not belong together."""
    with _opened(searched.encoder) as (place, prompts):
        encoder = DualEncoder.open(
            place, prompts=prompts, device=searched.device, threads=searched.threads, precision=searched.precision
        )
    reranker = None
    if searched.ranker is not None:
        how = Inference(device=searched.device, threads=searched.threads, precision=searched.precision)
        with _opened(searched.ranker) as (place, _):
            reranker = Reranker(place, how)
    links = Links(searched.lexicon) if searched.lexicon else None
    index = open_index(searched.docs, encoder, folder=searched.index, overwrite=searched.overwrite)
    names = _name(searched.encoder), _name(searched.ranker) if searched.ranker else None
    return Searcher(index, encoder, reranker, links, names)


@contextmanager
def _opened(model: str) -> Iterator[tuple[str, Any]]:
    """What a model can be opened by, and the prompts that the catalogue knows of it."""
    entry = entry_of(model) if not Path(model).is_dir() else None
    with obtained(entry.plain() if entry else model) as place:
        yield place, (dict(entry.prompts) or None) if entry else None


def _name(model: str) -> str:
    """What people are told of a model: the end of its path."""
    place = Path(model)
    return "/".join(place.relative_to(place.anchor).parts[-3:])


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    started = perf_counter()
    yield
    seconds[stage] = perf_counter() - started


def _beginning(text: str) -> str:
    """The first ``SHOWN`` characters of a text, whole words of it where there are some."""
    if len(text) <= SHOWN:
        return text
    head, space, _ = text[: SHOWN + 1].rpartition(" ")
    return (head if space and len(head) > SHOWN // 2 else text[:SHOWN]) + " …"
