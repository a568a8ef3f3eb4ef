"""The table of test sets: what rankers are tested on, and how high a score their candidates allow.

A relevant document that is no candidate is never found, so the share of queries with a relevant candidate bounds MRR
from above. Whether relevance comes from gold passages or from answer strings is said beside it: the second also counts
passages that hold the answer by chance.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

import polars as pl

from switchrank.errors import UserError
from switchrank.formats.tables import CANDIDATES, DOCUMENTS, JUDGEMENTS, TESTSETS, read_table, scan_table, write_table
from switchrank.progress import progress


class TestedDocuments(TypedDict):
    """One document language of a test set.

    ``relevance`` is ``gold`` (a passage named in the data) or ``answer`` (a passage that holds an answer string);
    ``candidates`` is None where every document is a candidate.
    """

    testset: str
    collection: str
    format: str
    relevance: str
    doc_lang: str
    documents: str
    judgements: str
    candidates: str | None


def table_of_testsets(*, testsets: list[TestedDocuments], out: str | Path) -> None:
    """Write TESTSETS, one row per entry of ``testsets``, in their order.

    ``relevant`` and ``candidates`` are means over the queries with a positive judgement; a query without candidates
    counts as 0. ``candidate_recall`` is the share of those queries with a relevant document among their candidates.

    Args:
        testsets: the document languages of each test set, with their DOCUMENTS, JUDGEMENTS and CANDIDATES tables.
        out: the table to write.

    Raises:
        UserError: a table is missing or unreadable, or holds no positive judgement.
    """
    rows = [_row(part) for part in progress(testsets, what="test sets", unit="languages")]
    write_table(pl.DataFrame(rows, schema=TESTSETS), out, TESTSETS)


def _row(part: TestedDocuments) -> dict[str, Any]:
    judged = read_table(part["judgements"], JUDGEMENTS).filter(pl.col("relevance") > 0)
    relevant = judged.select("qid", "docid").unique()
    queries = relevant["qid"].n_unique()
    if not queries:
        raise UserError(part["judgements"], "relevance", "no positive judgement", "give judgements above 0")
    documents = _count(scan_table(part["documents"], DOCUMENTS))
    candidates, found = (documents * queries, queries) if part["candidates"] is None else _listed(part, relevant)
    labels = {name: part[name] for name in ("testset", "collection", "format", "relevance", "doc_lang")}  # type: ignore[literal-required]
    return labels | {
        "documents": documents,
        "queries": queries,
        "relevant": len(relevant) / queries,
        "candidates": candidates / queries,
        "candidate_recall": found / queries,
    }


def _listed(part: TestedDocuments, relevant: pl.DataFrame) -> tuple[int, int]:
    """Candidates of all queries that have a relevant document, and how many of these queries list one."""
    listed = scan_table(str(part["candidates"]), CANDIDATES)
    asked = relevant.select("qid").unique().lazy()
    found = listed.join(relevant.lazy(), on=["qid", "docid"], how="semi").select("qid").unique()
    return _count(listed.join(asked, on="qid", how="semi")), _count(found)


def _count(rows: pl.LazyFrame) -> int:
    return int(rows.select(pl.len()).collect(engine="streaming").item())
