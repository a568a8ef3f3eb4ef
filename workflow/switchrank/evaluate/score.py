"""Per-query scores of the runs of one test set, in one process and little memory.

Of a run only the relevant documents it found are kept, with their places; a large run is read in pieces of whole
queries. Metrics follow the rank column of a run: its scores may tie, ranks do not. MRR, nDCG, average precision and
recall of many queries at once are computed by ranx on arrays. A document that nobody judged is the same to all four as
any other such document, so a ranking is made from the places of its relevant documents alone, and the rest of it is
:data:`_UNJUDGED`. ranx is given rankings in rank order and judgements by falling relevance; it sorts neither.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from typing_extensions import TypedDict

from switchrank.core.cache import compiled_code
from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.formats.tables import JUDGEMENTS, PER_QUERY, read_table, write_table
from switchrank.formats.trec import by_queries, hashes

Floats = NDArray[np.float64]
_METRIC = re.compile(r"(mrr|ndcg|map|recall)(@[1-9][0-9]{0,8})?")
"""Names that are ranx's own too; its ``ndcg`` has linear gains."""
_ALL = ["mrr", "ndcg", "map", "recall"]
_WRITE = "write mrr@10, ndcg@10, map or recall@100"
_UNJUDGED, _NONE = -1, -2
"""Numbers in the place of a document: one without a judgement, and, after the last relevant one, no document at all."""
_CELLS = 1 << 20
"""Places of rankings, or of judgements, that are in memory at once: 16 MiB of each, twice as fast as 64."""


def check_metrics(metrics: list[str]) -> None:
    """Raise UserError unless every name is ``mrr``, ``ndcg``, ``map`` or ``recall``, with or without ``@k``."""
    for metric in metrics:
        if not _METRIC.fullmatch(metric):
            raise UserError("evaluate", "metrics", f"unknown metric {metric}", _WRITE)
    if not metrics:
        raise UserError("evaluate", "metrics", "none given", _WRITE)


def _judgements(relevant: pl.DataFrame, queries: int) -> Floats:
    """Judgements as ranx takes them: shape ``(queries, most of one query, 2)``."""
    query, number, relevance = (relevant[name].to_numpy() for name in ("query", "number", "relevance"))
    judgements = np.zeros((queries, int(number.max()) + 1, 2))
    judgements[..., 0] = _NONE
    judgements[query, number, 0] = number
    judgements[query, number, 1] = relevance
    return judgements


def _rankings(found: pl.DataFrame, queries: int) -> Floats:
    """Rankings as ranx takes them, down to the last relevant document: ``(queries, depth, 2)``."""
    query, number, place = (found[name].to_numpy() for name in ("query", "number", "place"))
    depth = int(place.max(initial=1))
    rankings = np.empty((queries, depth, 2))
    rankings[..., 0] = _UNJUDGED
    rankings[..., 1] = -np.arange(depth)
    rankings[query, place - 1, 0] = number
    return rankings


def metric_values(metrics: list[str], found: pl.DataFrame, relevant: pl.DataFrame, queries: int) -> dict[str, Floats]:
    """One value for each metric and query, float64 of shape ``(queries,)``; 0 where nothing relevant was found.

    nDCG has linear gains (Järvelin and Kekäläinen 2002); the other metrics take relevance 1 and up as relevant. Average
    precision and recall are over all relevant documents, retrieved or not.

    Args:
        metrics: names that :func:`check_metrics` accepts.
        found: the relevant documents that a run found: ``query`` and ``number`` as below, ``place`` from 1.
        relevant: ``query``, from 0, each of which has a relevant document; ``number`` of the document within its query,
            0 for the most relevant one; ``relevance``, 1 and up.
        queries: how many there are.
    """
    # Asked for one metric with a cut-off, ranx 0.3.21 looks it up under another name: KeyError.
    asked = metrics if len(metrics) > 1 else [*metrics, "mrr"]
    largest = max(int(part.to_numpy().max(initial=1)) for part in (found["place"], relevant["number"] + 1))
    size = max(1, _CELLS // largest)
    values: dict[str, Floats] = {metric: np.empty(queries) for metric in metrics}
    for start in range(0, queries, size):
        count = min(size, queries - start)
        parts = [
            table.filter(pl.col("query").is_between(start, start + count - 1)).with_columns(pl.col("query") - start)
            for table in (relevant, found)
        ]
        arrays = _judgements(parts[0], count), _rankings(parts[1], count)
        scores = ranx().evaluate(*arrays, asked, return_mean=False)
        for metric, column in values.items():
            column[start : start + count] = scores[metric]
    return values


@cache
def ranx() -> Any:
    """The library, with its functions compiled or loaded from where they are kept: seconds, once a process."""
    with compiled_code(), warnings.catch_warnings(action="ignore"):
        import ranx as library

        library.evaluate(np.ones((1, 1, 2)), np.ones((1, 1, 2)), _ALL, return_mean=False)
    return library


class Judged:
    """The relevant documents of one document language.

    Attributes:
        qids: the queries with a positive judgement, ascending.
        relevant: their relevant documents (:func:`metric_values`); of equally relevant ones the first by id is first.
    """

    def __init__(self, path: str | Path) -> None:
        table = read_table(path, JUDGEMENTS).filter(pl.col("relevance") > 0)
        twice = table.filter(table.select("qid", "docid").is_duplicated())
        if len(twice):
            first = twice.row(0, named=True)
            raise UserError(path, f"query {first['qid']}", f"document {first['docid']} judged twice", "keep one line")
        if table.is_empty():
            raise UserError(path, "", "no positive judgement", "give judgements with relevance 1 or more")
        table = table.sort(["qid", "relevance", "docid"], descending=[False, True, False])
        self.qids = table["qid"].unique(maintain_order=True)
        numbers = pl.DataFrame({"qid": self.qids}).with_row_index("query")
        table = table.join(numbers, on="qid", how="left", maintain_order="left")
        self.relevant = table.with_columns(number=pl.int_range(pl.len()).over("qid"))
        self._hashes = hashes(table).implode()

    def found(self, run: pl.DataFrame) -> pl.DataFrame:
        """The relevant documents among some whole queries of a run: ``query``, ``number``, ``place``."""
        maybe = hashes(run).is_in(self._hashes)
        placed = run.select("qid", "docid", place=_places(run)).filter(maybe)
        return placed.join(self.relevant, on=["qid", "docid"], how="inner").select("query", "number", "place")


def _places(run: pl.DataFrame) -> pl.Series:
    """The place of each row in its query, from 1: by rank, then falling score, then document id."""
    begins = (run["qid"] != run["qid"].shift(1)).fill_null(True)
    number = pl.Series(np.arange(len(run)))
    start = pl.Series(np.maximum.accumulate(np.where(begins, number, 0)))
    in_order = (begins | (run["rank"].diff() > 0)).all()
    if in_order and int(begins.sum()) == run["qid"].filter(begins).n_unique():
        return number - start + 1
    by = [pl.col("rank"), -pl.col("score"), pl.col("docid")]
    ordered = run.with_row_index("row").sort("qid", *by)
    places = ordered.select("row", place=pl.int_range(1, pl.len() + 1).over("qid"))
    return places.sort("row")["place"]


def score_run(judged: Judged, path: str | Path, metrics: list[str]) -> dict[str, Floats]:
    """Scores of one run per metric, one value for each of ``judged.qids``; see :func:`metric_values`.

    Judged queries that the run does not have score 0; the run's other queries are left out.
    """
    found = pl.concat(by_queries(path, judged.found))
    return metric_values(metrics, found, judged.relevant, len(judged.qids))


class Scored(TypedDict):
    """A TREC run of a test set, and what it is of."""

    path: str
    system: str
    query_lang: str
    doc_lang: str
    seed: int


def evaluate_testset(
    *,
    runs: list[Scored],
    judgements: Mapping[str, str | Path],
    testset: str,
    out: str | Path,
    metrics: Sequence[str] = ("mrr@10", "ndcg@10", "map", "recall@100"),
) -> None:
    """Write PER_QUERY of one test set: every run, metric and query with a positive judgement; values are 0 to 1.

    Args:
        runs: JSON list of runs, see below; read one at a time.
        judgements: JUDGEMENTS of each document language.
        testset: name of the test set.
        out: PER_QUERY table to write (.parquet); sorted by system, query_lang, doc_lang, seed, metric, qid.
        metrics: these, or other cut-offs.

    Raises:
        UserError: an unknown metric, no judgements for a document language, an unreadable run.
    """
    measures = list(metrics)
    check_metrics(measures)
    judged: dict[str, Judged] = {}
    tables = []
    for run in progress(runs, what=f"evaluate {testset}", unit="runs"):
        language = run["doc_lang"]
        if language not in judgements:
            raise UserError(run["path"], f"documents in {language}", "no judgements", "give those of this language")
        if language not in judged:
            judged[language] = Judged(judgements[language])
        scores = score_run(judged[language], run["path"], measures)
        run_of = {name: pl.lit(run[name]) for name in ("system", "query_lang", "doc_lang", "seed")}
        for metric, values in scores.items():
            table = pl.DataFrame({"qid": judged[language].qids, "value": values})
            tables.append(table.with_columns(**run_of, testset=pl.lit(testset), metric=pl.lit(metric)))
    if not tables:
        raise UserError("evaluate", testset, "no runs", "give at least one")
    order = ["system", "query_lang", "doc_lang", "seed", "metric", "qid"]
    write_table(pl.concat(tables).sort(order), out, PER_QUERY)
