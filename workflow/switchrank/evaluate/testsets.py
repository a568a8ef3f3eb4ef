"""The table of test sets: what rankers are tested on, and how high a score their candidates allow.

A relevant document that is no candidate is never found, so the share of queries with a relevant candidate bounds MRR
from above. Candidates are often found with queries in another language, which users do not have; the table also says
what a search with the query as it is would allow. Relevance comes from gold passages or from answer strings: the second
also counts passages that hold the answer by chance.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from typing_extensions import TypedDict

from switchrank.core.errors import UserError
from switchrank.core.languages import MIXED
from switchrank.core.progress import progress
from switchrank.formats import tables


class TestedDocuments(TypedDict):
    """One document language of a test set.

    ``relevance`` is ``gold`` (a passage named in the data) or ``answer`` (a passage that holds an answer string);
    ``candidates`` is one table, one for each pair where they differ, or None or none where every document is a
    candidate; ``search`` says what found them: ``run``, ``all``, or the ``query-document`` languages that BM25 looked
    at, several with spaces between.
    """

    testset: str
    collection: str
    format: str
    relevance: str
    doc_lang: str
    documents: str
    judgements: str
    candidates: str | list[str] | None
    search: str


def table_of_testsets(
    *,
    testsets: list[TestedDocuments],
    out: str | Path,
    first_stage: list[str] | None = None,
    first_stage_out: str | Path | None = None,
) -> None:
    """Write TESTSETS, one row per entry of ``testsets``, in their order, and FIRST_STAGE as one table.

    Means are over the queries with a positive judgement, in each pair where pairs have candidates of their own; a query
    without candidates counts as 0.

    Args:
        testsets: JSON list, the document languages of each test set; see below.
        out: table to write (.csv or .parquet).
        first_stage: FIRST_STAGE tables of the test sets whose candidates were looked for; for own_recall.
        first_stage_out: where to write all of these as one.

    Raises:
        UserError: a table is missing or unreadable, or holds no positive judgement.
    """
    searches = pl.DataFrame(schema=tables.FIRST_STAGE)
    if first_stage:
        searches = pl.concat([tables.read_table(path, tables.FIRST_STAGE) for path in first_stage])
    rows = [_row(part, searches) for part in progress(testsets, what="test sets", unit="languages")]
    tables.write_table(pl.DataFrame(rows, schema=tables.TESTSETS), out, tables.TESTSETS)
    if first_stage_out is not None:
        tables.write_table(searches, first_stage_out, tables.FIRST_STAGE)


def _row(part: TestedDocuments, searches: pl.DataFrame) -> dict[str, Any]:
    judged = tables.read_relevant(part["judgements"])
    relevant = judged.select("qid", "docid").unique()
    queries = relevant["qid"].n_unique()
    if not queries:
        raise UserError(part["judgements"], "relevance", "no positive judgement", "give judgements above 0")
    counted = tables.scan_table(part["documents"], tables.DOCUMENTS).select(pl.len())
    documents = int(counted.collect(engine="streaming").item())
    given = part["candidates"]
    paths: Sequence[str | None] = [given] if isinstance(given, str) else given or [None]
    lists = pl.concat([_lists(path, relevant, documents) for path in paths])
    candidates, found = lists["candidates"].to_numpy(), lists["found"].to_numpy()
    labels = {name: part[name] for name in ("testset", "collection", "format", "relevance", "doc_lang", "search")}  # type: ignore[literal-required]
    return labels | {
        "documents": documents,
        "queries": queries,
        "relevant": len(relevant) / queries,
        "candidates": int(candidates.sum()) / len(lists),
        "candidate_recall": int(np.count_nonzero(found)) / len(lists),
        "chance": float(random_reciprocal_rank(candidates, found).mean()),
        **{f"{way}_recall": _recall(part, searches, way) for way in ("own", "translated")},
    }


def _recall(part: TestedDocuments, searches: pl.DataFrame, way: str) -> float | None:
    """Mean recall of a way over the pairs of two or mixed languages that the candidates were not searched for."""
    pair = pl.concat_str("query_lang", "doc_lang", separator="-")
    crossing = (pl.col("query_lang") != pl.col("doc_lang")) | (pl.col("query_lang") == MIXED)
    theirs = searches.filter(crossing, ~pair.is_in(part["search"].split()), way=way)
    theirs = theirs.filter(testset=part["testset"], doc_lang=part["doc_lang"])
    return None if theirs.is_empty() else float(theirs["recall"].mean())  # type: ignore[arg-type]


def _lists(path: str | None, relevant: pl.DataFrame, documents: int) -> pl.DataFrame:
    """For each query with a relevant document, by id, its ``candidates`` and how many relevant ones are ``found``."""
    asked = relevant.group_by("qid").agg(all=pl.len())
    if path is None:
        return asked.sort("qid").select("qid", candidates=pl.lit(documents), found="all")
    listed = tables.scan_table(path, tables.CANDIDATES).join(asked.lazy(), on="qid", how="semi")
    found = listed.join(relevant.lazy(), on=["qid", "docid"], how="semi").group_by("qid").agg(found=pl.len())
    counts = listed.group_by("qid").agg(candidates=pl.len()).join(found, on="qid", how="left")
    return asked.join(counts.collect(engine="streaming"), on="qid", how="left").sort("qid").fill_null(0)


def random_reciprocal_rank(candidates: NDArray[Any], relevant: NDArray[Any], depth: int = 10) -> NDArray[np.float64]:
    """The reciprocal rank, 0 beyond ``depth``, that a random order of a list has on average; float64.

    Args:
        candidates: how many documents each list holds.
        relevant: how many of them are relevant.
    """
    expected, none_yet = np.zeros(len(candidates)), np.ones(len(candidates))
    for place in range(1, depth + 1):
        first_here = none_yet * np.minimum(relevant / np.maximum(candidates - (place - 1.0), 1), 1)
        expected += first_here / place
        none_yet -= first_here
    return expected
