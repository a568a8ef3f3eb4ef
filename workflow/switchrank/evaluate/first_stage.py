"""The first stage, as tested and as a user would have it: what share of queries can be answered from its candidates.

Test sets that exist in many languages are often searched once, in the source language, and the ids found serve every
pair: as published, and fair between systems. But nobody who asks in another language has such candidates. So each pair
is searched again with what a user has, the query as it is, and, where the run has lexicons for it, with query and
documents translated word by word.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NotRequired

import polars as pl
from typing_extensions import TypedDict

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.formats import tables
from switchrank.search.bm25 import Bm25, best
from switchrank.text.splitting import language_splitter


class SearchedPair(TypedDict):
    """One way to find candidates for a test pair.

    ``way`` is ``used`` (``candidates``, as the test set has them), ``own`` (BM25 with the query as it is, on the
    documents as they are) or ``translated`` (BM25 with ``queries`` and ``documents`` translated into the source
    language); ``search`` says what was searched, in words. ``vocabulary`` and ``query_vocabulary`` cut unspaced
    documents and queries (:func:`switchrank.text.splitting.language_splitter`).
    """

    query_lang: str
    doc_lang: str
    way: str
    search: str
    candidates: str
    queries: NotRequired[str]
    documents: NotRequired[str]
    judgements: str
    vocabulary: NotRequired[str]
    query_vocabulary: NotRequired[str]


def first_stage_table(*, testset: str, pairs: list[SearchedPair], out: str | Path) -> None:
    """Write FIRST_STAGE, one row per entry of ``pairs``, in their order.

    Every search keeps as many documents of a query as the longest list of the pair's ``candidates``; neither random
    documents nor relevant ones are put in. ``recall`` is over the queries with a positive judgement: the highest MRR
    that any re-ranker can reach.

    Args:
        testset: name of the test set.
        pairs: JSON list of ways to find candidates; see below.
        out: table to write (.csv or .parquet).

    Raises:
        UserError: a table is missing or unreadable, an unknown way, or no positive judgement.
    """
    asked = [_asked(pair) for pair in pairs]
    found = _found_by_search(pairs, asked)
    rows = []
    for number, (pair, (relevant, depth)) in enumerate(zip(pairs, asked, strict=True)):
        hits = found[number] if pair["way"] != "used" else _found_in_list(pair["candidates"], relevant)
        labels = (testset, pair["query_lang"], pair["doc_lang"], pair["way"], pair["search"])
        rows.append((*labels, depth, hits / len(relevant), len(relevant)))
    tables.write_table(pl.DataFrame(rows, schema=pl.Schema(tables.FIRST_STAGE), orient="row"), out, tables.FIRST_STAGE)


def _asked(pair: SearchedPair) -> tuple[dict[str, list[str]], int]:
    """The relevant documents of each judged query, and how many documents a search keeps."""
    if pair["way"] not in ("used", "own", "translated"):
        raise UserError("first stage", "way", f"unknown way {pair['way']}", "write used, own or translated")
    judged = tables.read_relevant(pair["judgements"])
    if judged.is_empty():
        raise UserError(pair["judgements"], "relevance", "no positive judgement", "give judgements above 0")
    listed = tables.scan_table(pair["candidates"], tables.CANDIDATES).join(judged.lazy(), on="qid", how="semi")
    depth = listed.select(pl.col("rank").max().fill_null(0)).collect(engine="streaming").item()
    return dict(judged.group_by("qid", maintain_order=True).agg("docid").iter_rows()), int(depth)


def _found_in_list(candidates: str, relevant: dict[str, list[str]]) -> int:
    """How many queries have a relevant document among their candidates."""
    flat = [(qid, docid) for qid, docids in relevant.items() for docid in docids]
    wanted = pl.LazyFrame(flat, schema=["qid", "docid"], orient="row")
    listed = tables.scan_table(candidates, tables.CANDIDATES).join(wanted, on=["qid", "docid"], how="semi")
    return int(listed.select(pl.col("qid").n_unique()).collect(engine="streaming").item())


def _found_by_search(pairs: Sequence[SearchedPair], asked: Sequence[tuple[dict[str, list[str]], int]]) -> list[int]:
    """How many queries of each pair that is searched have a relevant document among the best; 0 for the others.

    Documents are cut into words once for all pairs that search them, and read one language at a time.
    """
    groups: dict[tuple[str | None, ...], list[int]] = {}
    for number, pair in enumerate(pairs):
        if pair["way"] != "used":
            searched = pair["documents"], pair.get("vocabulary"), pair.get("query_vocabulary")
            groups.setdefault(searched, []).append(number)
    found = [0] * len(pairs)
    for (documents, *cut), numbers in progress(groups.items(), what="first stages", unit="searches"):
        table = tables.read_table(str(documents), tables.DOCUMENTS).sort("docid")
        queries = [
            (number, qid, text)
            for number in numbers
            for qid, text, _ in tables.read_table(pairs[number]["queries"], tables.QUERIES).iter_rows()
            if qid in asked[number][0]
        ]
        split, split_queries = map(language_splitter, cut)
        texts = [text for _, _, text in queries]
        index = Bm25(table["text"].to_list(), texts, split=split, split_queries=split_queries)
        for place, (number, qid, _) in enumerate(queries):
            relevant, depth = asked[number]
            docids = table["docid"].gather(best(index.scores(place), depth))
            found[number] += docids.is_in(relevant[qid]).any()
    return found
