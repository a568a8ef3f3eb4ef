"""Candidates: which documents are re-ranked for each query, the same for every query language of a document language.

They come from a given ranking (as in the published experiments: one English BM25 list for every pair), from BM25, or
they are all documents.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.seeds import generator
from switchrank.formats.tables import CANDIDATES, DOCUMENTS, JUDGEMENTS, QUERIES, read_table, write_table
from switchrank.rank.ranking import read_ranking
from switchrank.search.bm25 import Bm25, best
from switchrank.text.splitting import language_splitter

Lists = list[list[str]]
"""Docids per query, best first."""


def bm25_lists(
    queries: Sequence[str],
    docids: Sequence[str],
    texts: Sequence[str],
    *,
    k: int,
    vocabulary: str | Path | None = None,
) -> Lists:
    """The ``k`` best documents of each query text that share a word with it; equal scores by ascending docid."""
    order = sorted(range(len(docids)), key=docids.__getitem__)
    index = Bm25([texts[i] for i in order], queries, split=language_splitter(vocabulary))
    found = (best(index.scores(query), k) for query in range(len(queries)))
    return [[docids[order[i]] for i in numbers] for numbers in found]


def run_lists(
    path: str | Path, qids: Sequence[str], *, known_qids: set[str], known_docids: set[str], depth: int | None = None
) -> Lists:
    """The documents of a given ranking for each of ``qids``, cut to the first ``depth``; none where it has none.

    Raises:
        UserError: the ranking names a query or document that is not known.
    """
    ranking = read_ranking(path)
    for column, known, what in (("qid", known_qids, "query"), ("docid", known_docids, "document")):
        strangers = sorted(set(ranking[column].unique().to_list()) - known)
        if strangers:
            raise UserError(
                path,
                f"{what} {strangers[0]}",
                f"{len(strangers)} {what} id(s) that the collection does not have",
                f"remove these lines, or give the {what} table that holds them",
            )
    if depth is not None:
        ranking = ranking.group_by("qid", maintain_order=True).head(depth)
    grouped = ranking.group_by("qid", maintain_order=True).agg(pl.col("docid"))
    found = dict(zip(grouped["qid"].to_list(), grouped["docid"].to_list(), strict=True))
    return [found.get(qid, []) for qid in qids]


def _fill(found: list[str], size: int, docids: Sequence[str], seed: int, qid: str) -> list[str]:
    """``found``, then random other documents up to ``size``: a function of seed, query and the sorted docids."""
    missing = size - len(found)
    if missing <= 0:
        return found
    drawn = generator(seed, "candidates", qid).choice(len(docids), size=size, replace=False)
    have = set(found)
    return found + [docids[i] for i in drawn if docids[i] not in have][:missing]


def _add(found: list[str], relevant: list[str], size: int | None) -> list[str]:
    """Relevant documents that are missing go last; where that exceeds the size, the last irrelevant ones give way."""
    keep, have = set(relevant), set(found)
    spare = max(0, (len(found) if size is None else size) - len(relevant))
    kept = []
    for docid in found:
        if docid not in keep:
            spare -= 1
        if docid in keep or spare >= 0:
            kept.append(docid)
    return (kept + [docid for docid in relevant if docid not in have])[:size]


def _relevant(path: str | Path, known: set[str]) -> dict[str, list[str]]:
    judged = read_table(path, JUDGEMENTS).filter(pl.col("relevance") > 0).sort("qid", "docid")
    strangers = sorted(set(judged["docid"].to_list()) - known)
    if strangers:
        raise UserError(
            path,
            f"document {strangers[0]}",
            f"{len(strangers)} judged document(s) that the collection does not have",
            "give the judgements of this document language",
        )
    grouped = judged.group_by("qid", maintain_order=True).agg(pl.col("docid"))
    return dict(zip(grouped["qid"].to_list(), grouped["docid"].to_list(), strict=True))


def _method(method: dict[str, Any]) -> tuple[str, int | None, bool]:
    """Kind, size and whether to fill up, checked."""
    kinds = [kind for kind in ("bm25", "run", "all") if method.get(kind)]
    unknown = sorted(set(method) - {"bm25", "run", "all", "depth", "fill"})
    if len(kinds) != 1 or unknown:
        raise UserError("candidates", str(method), "not a way to choose candidates", "give one of bm25, run, all")
    size = method["bm25"] if kinds[0] == "bm25" else method.get("depth")
    fill = kinds[0] == "bm25" or bool(method.get("fill"))
    if (size is not None and size < 1) or (fill and size is None):
        raise UserError("candidates", str(method), "no usable number of candidates", "give a depth of 1 or more")
    return kinds[0], size, fill


def build_candidates(
    *,
    queries: str | Path,
    documents: str | Path,
    judgements: str | Path,
    method: dict[str, Any],
    out: str | Path,
    relevant: Literal["keep", "add"] = "keep",
    vocabulary: str | Path | None = None,
    seed: int = 1,
) -> None:
    """Write CANDIDATES: the documents to re-rank for every query with a positive judgement, in source order.

    With BM25 (and with ``fill``) every query has exactly min(k, number of documents) candidates: where fewer share a
    word with the query, random documents follow. So every query and every pair is a choice among equally many.

    Args:
        queries: QUERIES table; for BM25 their text, in the language of the documents, is what is looked for.
        documents: DOCUMENTS table of one language.
        judgements: JUDGEMENTS table of that language.
        out: CANDIDATES table to write (.parquet).
        method: ``{"bm25": k}``: k documents by BM25. ``{"run": path, "depth": n, "fill": false}``: those of a ranking
            (:func:`switchrank.rank.ranking.read_ranking`), its first n. ``{"all": true}``: all, in source order.
        relevant: keep: as retrieved; add: put missing relevant documents in, in the place of the last irrelevant ones.
        vocabulary: vector store prefix, or segmenter:NAME, to cut unspaced text
            (:func:`switchrank.text.splitting.language_splitter`).
        seed: seed of the random documents.

    Raises:
        UserError: unknown ids in the ranking or the judgements, an unusable method, no judged query, no document.
    """
    kind, size, fill = _method(method)
    if relevant not in ("keep", "add"):
        raise UserError("candidates", "relevant", f"unknown value {relevant}", "write keep or add")
    docs = read_table(documents, DOCUMENTS)
    asked = read_table(queries, QUERIES)
    docids = docs["docid"].to_list()
    wanted = _relevant(judgements, set(docids))
    kept = asked.filter(pl.col("qid").is_in(list(wanted)))
    _check(queries, documents, len(kept), len(docids), len(wanted))
    qids = kept["qid"].to_list()
    if kind == "bm25":
        texts = docs["text"].to_list()
        lists = bm25_lists(kept["text"].to_list(), docids, texts, k=size or 1, vocabulary=vocabulary)
    elif kind == "run":
        known = set(asked["qid"].to_list())
        lists = run_lists(method["run"], qids, known_qids=known, known_docids=set(docids), depth=size)
    else:
        lists = [docids[:size] for _ in qids]
    if fill:
        limit, ordered = min(size or 1, len(docids)), sorted(docids)
        lists = [_fill(found, limit, ordered, seed, qid) for qid, found in zip(qids, lists, strict=True)]
    if relevant == "add":
        lists = [_add(found, wanted[qid], size) for qid, found in zip(qids, lists, strict=True)]
    write_table(candidate_table(qids, lists), out, CANDIDATES)


def candidate_table(qids: Sequence[str], lists: Lists) -> pl.DataFrame:
    """CANDIDATES from docids per query; ranks count from 1."""
    frame = pl.DataFrame({"qid": qids, "docid": lists}, schema={"qid": pl.String, "docid": pl.List(pl.String)})
    ranked = frame.filter(pl.col("docid").list.len() > 0).explode("docid")
    return ranked.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("qid").alias("rank"))


def _check(queries: str | Path, documents: str | Path, kept: int, size: int, judged: int) -> None:
    if size == 0:
        raise UserError(documents, "", "no documents", "give a collection that has some")
    if kept == 0:
        raise UserError(queries, "", "no query has a positive judgement", "give the judgements of these queries")
    if kept < judged:
        print(f"{queries}: {judged - kept} judged queries have no text here and get no candidates", file=sys.stderr)
