"""Per-query scores of the runs of one test set, in one process and little memory.

Of a run only the relevant documents it found are kept, with their places; a large run is read in pieces of whole
queries. Metrics follow the rank column of a run: its scores may tie, ranks do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from typing_extensions import TypedDict

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.evaluate.by_ranx import Floats, Found, Numbers, Relevant, check_metrics, metric_values
from switchrank.formats.tables import JUDGEMENTS, PER_QUERY, read_table, write_table
from switchrank.formats.trec import by_queries, hashes


class Judged:
    """The relevant documents of one document language.

    Attributes:
        qids: the queries with a positive judgement, ascending.
        relevant: their relevant documents; of equally relevant ones the first by id is the first.
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
        self._relevant = table.with_columns(number=pl.int_range(pl.len()).over("qid"))
        self._hashes = hashes(table).implode()
        relevance = self._relevant["relevance"].cast(pl.Float64).to_numpy()
        self.relevant = Relevant(_integers(self._relevant, "query"), _integers(self._relevant, "number"), relevance)

    def found(self, run: pl.DataFrame) -> pl.DataFrame:
        """The relevant documents among some whole queries of a run: ``query``, ``number``, ``place``."""
        maybe = hashes(run).is_in(self._hashes)
        placed = run.select("qid", "docid", place=_places(run)).filter(maybe)
        return placed.join(self._relevant, on=["qid", "docid"], how="inner").select("query", "number", "place")


def _integers(table: pl.DataFrame, column: str) -> Numbers:
    return table[column].cast(pl.Int64).to_numpy()


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

    Raises:
        UserError: as :func:`switchrank.formats.trec.read_run`.
    """
    found = pl.concat(by_queries(path, judged.found)).sort("query")
    places = Found(_integers(found, "query"), _integers(found, "number"), _integers(found, "place"))
    return metric_values(metrics, places, judged.relevant, len(judged.qids))


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
    """Write PER_QUERY of one test set: every run, metric and query with a positive judgement.

    Args:
        runs: JSON list of runs, see below; read one at a time.
        judgements: JUDGEMENTS of each document language.
        testset: name of the test set.
        out: PER_QUERY table to write (.parquet); sorted by system, query_lang, doc_lang, seed, metric, qid.
        metrics: these, or other cut-offs.

    Values are 0 to 1.

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
        labels = [pl.lit(run[name]).alias(name) for name in ("system", "query_lang", "doc_lang", "seed")]
        qids = judged[language].qids
        for metric, values in scores.items():
            table = pl.DataFrame({"qid": qids, "value": values})
            tables.append(table.with_columns(*labels, pl.lit(testset).alias("testset"), pl.lit(metric).alias("metric")))
    if not tables:
        raise UserError("evaluate", testset, "no runs", "give at least one")
    order = ["system", "query_lang", "doc_lang", "seed", "metric", "qid"]
    write_table(pl.concat(tables).sort(order), out, PER_QUERY)
