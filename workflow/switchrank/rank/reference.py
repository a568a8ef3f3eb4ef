"""Reference rankings that need no training: chance, and BM25 on each pair's own texts."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.core.seeds import generator
from switchrank.formats.tables import CANDIDATES, DOCUMENTS, QUERIES, read_table
from switchrank.formats.trec_writing import write_run
from switchrank.search.bm25 import Bm25
from switchrank.text.splitting import language_splitter

Pair = Mapping[str, Any]
"""As :data:`switchrank.rank.inference.Pair`; ``pair`` (``de-en``) names the random draws, ``vocabulary`` and
``query_vocabulary`` cut the unspaced texts of this pair."""


def random_scores(candidates: pl.DataFrame, *, seed: int, testset: str, pair: str) -> pl.DataFrame:
    """Uniform scores in [0, 1) as ``qid docid score``: a function of seed, test set, pair, query and its docids."""
    scores = []
    for qid, docids in candidates.group_by("qid", maintain_order=True).agg("docid").iter_rows():
        draws = generator(seed, "random reference", testset, pair, qid).random(len(docids))
        scores.append(draws[np.argsort(np.argsort(np.array(docids)))])
    return candidates.select("qid", "docid").with_columns(pl.Series("score", np.concatenate(scores)))


def _bm25_scores(pairs: Sequence[Pair]) -> Iterator[pl.DataFrame]:
    """The scores of each pair's candidates; the pairs share one documents file, which is indexed once."""
    documents = read_table(pairs[0]["documents"], DOCUMENTS)
    row = {docid: number for number, docid in enumerate(documents["docid"])}
    split = language_splitter(pairs[0]["vocabulary"])
    indexes: dict[tuple[str, str | None], tuple[Bm25, dict[str, int]]] = {}
    for pair in pairs:
        name = (str(pair["queries"]), pair["query_vocabulary"])
        if name not in indexes:
            queries, own = read_table(pair["queries"], QUERIES), language_splitter(name[1])
            index = Bm25(documents["text"].to_list(), queries["text"].to_list(), split=split, split_queries=own)
            indexes[name] = index, {qid: number for number, qid in enumerate(queries["qid"])}
        bm25, numbers = indexes[name]
        candidates = read_table(pair["candidates"], CANDIDATES)
        parts = []
        by_query = candidates.group_by("qid", maintain_order=True).agg("docid").rows()
        for qid, docids in progress(by_query, what="BM25 reference", unit="queries"):
            try:
                rows = [row[docid] for docid in docids]
                parts.append(bm25.scores(numbers[qid])[rows])
            except KeyError as error:
                todo = "give the candidates that were made for these texts"
                raise UserError(pair["candidates"], f"id {error.args[0]}", "not in the texts", todo) from error
        yield candidates.select("qid", "docid").with_columns(pl.Series("score", np.concatenate(parts)))


def rank_reference(
    *,
    kind: Literal["random", "bm25"],
    pairs: Sequence[Pair],
    testset: str = "",
    seed: int = 1,
    vocabulary: str | None = None,
    query_vocabulary: str | None = None,
    system: str | None = None,
    depth: int | None = None,
) -> None:
    """Write one TREC run for each pair of a test set, without a model.

    Args:
        kind: chance (a seeded shuffle of the candidates), or BM25 on each pair's own texts, with the collection
            statistics of all its documents.
        pairs: tables of one language pair and the run to write; repeat for every pair.
        testset: name of the test set (part of the random seed).
        seed: seed of the random ranking.
        vocabulary: vector store prefix, or segmenter:NAME, to cut unspaced documents
            (:func:`switchrank.text.splitting.language_splitter`).
        query_vocabulary: vector store prefix, or segmenter:NAME, to cut unspaced queries.
        system: tag in the run's last column, by default ``kind``.
        depth: documents of a query that a run keeps; default: all candidates.

    Raises:
        UserError: an unknown kind, candidates that name unknown ids.
    """
    if kind not in ("random", "bm25"):
        raise UserError("rank", "kind", f"unknown reference {kind}", "write random or bm25")
    usual = {"vocabulary": vocabulary, "query_vocabulary": query_vocabulary}
    pairs = [{"pair": Path(pair["out"]).parent.name, **usual, **pair} for pair in pairs]
    for documents in dict.fromkeys(str(pair["documents"]) for pair in pairs):
        group = [pair for pair in pairs if str(pair["documents"]) == documents]
        drawn = (
            random_scores(read_table(pair["candidates"], CANDIDATES), seed=seed, testset=testset, pair=pair["pair"])
            for pair in group
        )
        for pair, scores in zip(group, _bm25_scores(group) if kind == "bm25" else drawn, strict=True):
            write_run(scores, pair["out"], system or kind, depth)
