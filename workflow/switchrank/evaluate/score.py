"""Per-query scores of the runs of one test set, by ranx, in one process: its compiler costs seconds per process.

ranx takes rankings as dense arrays of (document number, score), so a run costs two table joins and no Python objects.
Metrics follow the rank column of a run: its scores may tie, ranks do not.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.errors import UserError
from switchrank.formats.tables import JUDGEMENTS, PER_QUERY, read_table, write_table
from switchrank.formats.trec import read_run
from switchrank.progress import progress

_METRIC = re.compile(r"(mrr|ndcg|map|recall)(@[1-9][0-9]*)?")
"""ranx's names; a depth of 0 means the whole ranking."""
_UNJUDGED = 0.0
_PADDING = -1.0


class Judged:
    """The relevant documents of one document language as ranx wants them.

    ``qids`` are the queries with a positive judgement, ascending. ``array`` is float64 of shape ``(queries, most
    relevant documents, 2)``: document numbers from 1 within the query and their relevance, best first, padded with
    relevance 0, which ranx leaves out.
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
        self._query = pl.DataFrame({"qid": self.qids}).with_row_index("query")
        numbered = table.with_columns(pl.int_range(1, pl.len() + 1).over("qid").alias("number"))
        self._known = numbered.join(self._query, on="qid", how="left").select("qid", "docid", "query", "number")
        self.array = np.zeros((len(self.qids), int(numbered["number"].max()), 2))  # type: ignore[arg-type]
        rows, columns = self._known["query"].to_numpy(), self._known["number"].to_numpy() - 1
        self.array[:, :, 0] = _PADDING
        self.array[rows, columns, 0] = self._known["number"].to_numpy()
        self.array[rows, columns, 1] = numbered["relevance"].to_numpy()

    def rankings(self, run: pl.DataFrame) -> NDArray[np.float64]:
        """A run as float64 of shape ``(queries, longest ranking, 2)``, documents by rank, scores strictly falling.

        Judged queries that the run does not have are all padding, and so score 0; the run's other queries are left out.
        """
        ordered = run.sort(["qid", "rank", "score", "docid"], descending=[False, False, True, False])
        placed = (
            ordered.join(self._query, on="qid", how="inner", maintain_order="left")
            .join(self._known.select("qid", "docid", "number"), on=["qid", "docid"], how="left", maintain_order="left")
            .with_columns(pl.int_range(pl.len()).over("query").alias("place"))
        )
        longest = 1 if placed.is_empty() else int(placed["place"].max()) + 1  # type: ignore[arg-type]
        array = np.empty((len(self.qids), longest, 2))
        array[:, :, 0] = _PADDING
        array[:, :, 1] = -np.arange(1.0, longest + 1)
        numbers = placed["number"].cast(pl.Float64).fill_null(_UNJUDGED).to_numpy()
        array[placed["query"].to_numpy(), placed["place"].to_numpy(), 0] = numbers
        return array


def check_metrics(metrics: list[str]) -> None:
    """Raise UserError unless every name is ``mrr``, ``ndcg``, ``map`` or ``recall``, with or without ``@k``."""
    for metric in metrics:
        if not _METRIC.fullmatch(metric):
            raise UserError(
                "evaluate", "metrics", f"unknown metric {metric}", "write mrr@10, ndcg@10, map or recall@100"
            )
    if not metrics:
        raise UserError("evaluate", "metrics", "none given", "write mrr@10, ndcg@10, map or recall@100")


def score_run(judged: Judged, run: pl.DataFrame, metrics: list[str]) -> dict[str, NDArray[np.float64]]:
    """Scores of one run per metric, one value for each of ``judged.qids``.

    nDCG has linear gains (Järvelin and Kekäläinen 2002); the other metrics take relevance 1 and up as relevant. Average
    precision and recall are over all relevant documents, retrieved or not.
    """
    from ranx.metrics import average_precision, ndcg, recall, reciprocal_rank

    functions = {"mrr": reciprocal_rank, "ndcg": ndcg, "map": average_precision, "recall": recall}
    rankings = judged.rankings(run)
    scores = {}
    for metric in metrics:
        name, _, depth = metric.partition("@")
        scores[metric] = functions[name](judged.array, rankings, int(depth or 0))
    return scores


def evaluate_testset(
    *,
    runs: list[dict[str, Any]],
    judgements: dict[str, str | Path],
    testset: str,
    metrics: list[str],
    out: str | Path,
) -> None:
    """Write PER_QUERY of one test set: every run, metric and query with a positive judgement.

    Args:
        runs: ``{"path", "system", "query_lang", "doc_lang", "seed"}``, TREC files, loaded one at a time.
        judgements: JUDGEMENTS of each document language.
        testset: its name.
        metrics: ``mrr@10``, ``ndcg@10``, ``map``, ``recall@100`` or other cut-offs.
        out: the table; sorted by system, query_lang, doc_lang, seed, metric, qid.

    A query without candidates in a run scores 0. Values are 0 to 1.

    Raises:
        UserError: an unknown metric, no judgements for a document language, an unreadable run.
    """
    check_metrics(metrics)
    judged: dict[str, Judged] = {}
    tables = []
    for run in progress(runs, what=f"evaluate {testset}", unit="runs"):
        language = run["doc_lang"]
        if language not in judgements:
            raise UserError(run["path"], f"documents in {language}", "no judgements", "give those of this language")
        if language not in judged:
            judged[language] = Judged(judgements[language])
        scores = score_run(judged[language], read_run(run["path"]), metrics)
        labels = [pl.lit(run[name]).alias(name) for name in ("system", "query_lang", "doc_lang", "seed")]
        qids = judged[language].qids
        for metric, values in scores.items():
            table = pl.DataFrame({"qid": qids, "value": values})
            tables.append(table.with_columns(*labels, pl.lit(testset).alias("testset"), pl.lit(metric).alias("metric")))
    if not tables:
        raise UserError("evaluate", testset, "no runs", "give at least one")
    order = ["system", "query_lang", "doc_lang", "seed", "metric", "qid"]
    write_table(pl.concat(tables).sort(order), out, PER_QUERY)
