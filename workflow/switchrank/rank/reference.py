"""Reference rankings that need no training: chance, and BM25 on each pair's own texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.core.seeds import generator
from switchrank.formats.tables import CANDIDATES, DOCUMENTS, QUERIES, read_table
from switchrank.formats.trec_writing import write_run
from switchrank.search.bm25 import Bm25
from switchrank.text.splitting import language_splitter

Pair = dict[str, str]


def _by_query(candidates: pl.DataFrame) -> list[tuple[str, list[str]]]:
    grouped = candidates.group_by("qid", maintain_order=True).agg(pl.col("docid"))
    return list(zip(grouped["qid"].to_list(), grouped["docid"].to_list(), strict=True))


def random_scores(candidates: pl.DataFrame, *, seed: int, testset: str, pair: str) -> pl.DataFrame:
    """Uniform scores in [0, 1) as ``qid docid score``: a function of seed, test set, pair, query and its docids."""
    scores = []
    for qid, docids in _by_query(candidates):
        draws = generator(seed, "random reference", testset, pair, qid).random(len(docids))
        scores.append(draws[np.argsort(np.argsort(np.array(docids)))])
    return candidates.select("qid", "docid").with_columns(pl.Series("score", np.concatenate(scores)))


def _bm25_scorer(pairs: list[Pair]) -> Callable[[Pair], pl.DataFrame]:
    """A function that scores a pair's candidates; ``pairs`` share one documents file, which is indexed once."""
    documents = read_table(pairs[0]["documents"], DOCUMENTS)
    row = {docid: number for number, docid in enumerate(documents["docid"])}
    split = language_splitter(pairs[0].get("vocabulary"))
    indexes: dict[tuple[str, str | None], tuple[Bm25, dict[str, int]]] = {}

    def index(pair: Pair) -> tuple[Bm25, dict[str, int]]:
        name = (str(pair["queries"]), pair.get("query_vocabulary"))
        if name not in indexes:
            asked = read_table(pair["queries"], QUERIES)
            numbers = {qid: number for number, qid in enumerate(asked["qid"])}
            own = language_splitter(name[1])
            texts = documents["text"].to_list()
            indexes[name] = (Bm25(texts, asked["text"].to_list(), split=split, split_queries=own), numbers)
        return indexes[name]

    def score(pair: Pair) -> pl.DataFrame:
        candidates = read_table(pair["candidates"], CANDIDATES)
        bm25, numbers = index(pair)
        parts: list[NDArray[np.float32]] = []
        for qid, docids in progress(_by_query(candidates), what="BM25 reference", unit="queries"):
            try:
                rows = [row[docid] for docid in docids]
                parts.append(bm25.scores(numbers[qid])[rows])
            except KeyError as error:
                todo = "give the candidates that were made for these texts"
                raise UserError(pair["candidates"], f"id {error.args[0]}", "not in the texts", todo) from error
        return candidates.select("qid", "docid").with_columns(pl.Series("score", np.concatenate(parts)))

    return score


def rank_reference(
    *,
    kind: str,
    pairs: list[Pair],
    testset: str = "",
    seed: int = 1,
    system: str | None = None,
    depth: int | None = None,
) -> None:
    """Write one TREC run for each pair of a test set, without a model.

    Args:
        kind: ``random``: a seeded shuffle of the candidates. ``bm25``: BM25 of the pair's own query and document texts;
            collection statistics are those of all documents of the pair's document language.
        pairs: ``{"queries", "documents", "candidates", "out"}``, paths; ``"pair"`` (``de-en``) names the random draws;
            ``"vocabulary"`` and ``"query_vocabulary"`` cut unspaced documents and queries
            (:func:`switchrank.text.splitting.language_splitter`).
        testset: name of the test set, part of the random draws' seed.
        system: tag in the run's last column, by default ``kind``.
        depth: documents of a query that a run keeps; default: all candidates.

    Raises:
        UserError: an unknown kind, candidates that name unknown ids.
    """
    if kind not in ("random", "bm25"):
        raise UserError("rank", "kind", f"unknown reference {kind}", "write random or bm25")
    for documents in dict.fromkeys(str(pair["documents"]) for pair in pairs):
        group = [pair for pair in pairs if str(pair["documents"]) == documents]
        scorer = _bm25_scorer(group) if kind == "bm25" else None
        for pair in group:
            if scorer is not None:
                scores = scorer(pair)
            else:
                candidates = read_table(pair["candidates"], CANDIDATES)
                name = pair.get("pair") or Path(pair["out"]).parent.name
                scores = random_scores(candidates, seed=seed, testset=testset, pair=name)
            write_run(scores, pair["out"], system or kind, depth)
