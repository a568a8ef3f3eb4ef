"""Why code-switching works: retrieval by word overlap, and what a relevant passage loses when its language changes.

Litschko et al. (2023, section 5) explain zero-shot transfer's failure by monolingual overfitting: a ranker trained on
one language learns to match words. Then it should do well where query and passage share words, and punish a passage
for its language alone. Both can be measured on runs that are there anyway.
"""

import math
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NotRequired

import numpy as np
import polars as pl
from typing_extensions import TypedDict

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.formats import tables
from switchrank.formats.trec import read_run
from switchrank.text.splitting import language_splitter
from switchrank.text.words import key

BINS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Edges of the overlap bins; the last bin includes 1."""


class PairTexts(TypedDict):
    """The texts of a language pair of a test set; ``*vocabulary`` is what cuts unspaced text."""

    testset: str
    query_lang: str
    doc_lang: str
    queries: str
    documents: str
    judgements: str
    query_vocabulary: NotRequired[str]
    vocabulary: NotRequired[str]


def overlap_table(
    *,
    pairs: list[PairTexts],
    per_query: str | Path,
    out: str | Path,
    metric: str = "mrr@10",
    bins: Iterable[float] = BINS,
) -> None:
    """Write OVERLAP: the mean of ``metric`` over queries by the share of their words that a relevant passage has.

    The overlap of a query is the share of its distinct words (look-up keys) that occur in the relevant passage that
    has most of them. A bin holds the shares from ``low`` up to but without ``high``, the last one ``high`` too; bins
    without queries have no row.

    Args:
        pairs: JSON list, the texts of each pair; see below.
        per_query: PER_QUERY table (per_query.parquet).
        out: table to write (.csv or .parquet).
        metric: which metric.
        bins: edges, ascending.

    Raises:
        UserError: a table is missing, or has no such metric.
    """
    scores = tables.read_table(per_query, tables.PER_QUERY).filter(metric=metric)
    if scores.is_empty():
        raise UserError(per_query, "metric", f"no {metric}", "name one that was evaluated")
    edges = list(bins)
    keys = ["system", "testset", "query_lang", "doc_lang", "seed", "metric"]
    overlap, parts = pl.col("overlap"), []
    for pair in progress(pairs, what="word overlap", unit="pairs"):
        found = scores.filter(testset=pair["testset"], query_lang=pair["query_lang"], doc_lang=pair["doc_lang"])
        found = found.join(query_overlap(pair), on="qid", how="inner", maintain_order="left")
        for low, high in pairwise(edges):
            inside = found.filter(overlap.is_between(low, high, closed="both" if high == edges[-1] else "left"))
            means = inside.group_by(keys, maintain_order=True).agg(pl.col("value").mean(), queries=pl.len())
            parts.append(means.with_columns(low=pl.lit(low), high=pl.lit(high)).select(list(tables.OVERLAP)))
    table = pl.concat(parts) if parts else pl.DataFrame(schema=tables.OVERLAP)
    table = table.sort("testset", "query_lang", "doc_lang", "low", "seed", maintain_order=True)
    tables.write_table(table, out, tables.OVERLAP)


def query_overlap(pair: PairTexts) -> pl.DataFrame:
    """Columns ``qid`` and ``overlap`` (0 to 1) of the judged queries of a pair that have a word."""
    relevant = tables.read_relevant(pair["judgements"])
    queries = _words(pair["queries"], tables.QUERIES, relevant["qid"], pair.get("query_vocabulary"))
    documents = _words(pair["documents"], tables.DOCUMENTS, relevant["docid"], pair.get("vocabulary"))
    best: dict[str, float] = {}
    for qid, docid in relevant.select("qid", "docid").iter_rows():
        asked = queries.get(qid)
        if asked:
            share = len(asked & documents.get(docid, frozenset())) / len(asked)
            best[qid] = max(best.get(qid, 0.0), share)
    return pl.DataFrame(list(best.items()), schema={"qid": pl.String, "overlap": pl.Float64}, orient="row")


def _words(path: str, schema: tables.Schema, ids: pl.Series, vocabulary: str | None) -> dict[str, frozenset[str]]:
    frame = tables.read_table(path, schema)
    name = frame.columns[0]
    frame = frame.filter(pl.col(name).is_in(ids.unique().implode()))
    split = language_splitter(vocabulary)
    return {id_: frozenset(map(key, split(text)[0])) for id_, text in zip(frame[name], frame["text"], strict=True)}


class ScoredRun(TypedDict):
    """A TREC run and what it is of."""

    path: str
    system: str
    testset: str
    query_lang: str
    doc_lang: str
    seed: int


def shift_table(*, runs: list[ScoredRun], judgements: dict[str, dict[str, str]], out: str | Path) -> None:
    """Write SHIFT: how far the score of a relevant passage falls when it is in another language than the query.

    For every run of queries in q on documents in d, the same system's run of q on documents in q is the reference:
    ``drop`` is the mean of score(q, passage in q) - score(q, passage in d) over the relevant passages that both runs
    hold, ``drop_sd`` their standard deviation (ddof 1; null for one). Documents must be parallel (one id in all
    languages). Scores of one model are comparable within it alone, so compare ``drop / drop_sd`` between systems.

    Args:
        runs: JSON list of runs on parallel documents, see below; those without a reference are left out.
        judgements: JUDGEMENTS per test set and document language.
        out: table to write (.csv or .parquet).

    Raises:
        UserError: a run or a table is missing or unreadable.
    """

    def place(run: ScoredRun) -> tuple[str | int, ...]:
        return run["system"], run["testset"], run["query_lang"], run["seed"]

    own = {place(run): run for run in runs if run["query_lang"] == run["doc_lang"]}
    rows = []
    for run in progress(runs, what="language shift", unit="runs"):
        reference = own.get(place(run))
        if reference is None or run["query_lang"] == run["doc_lang"]:
            continue
        relevant = tables.read_relevant(judgements[run["testset"]][run["doc_lang"]])
        pairs = _scores(reference, relevant).join(_scores(run, relevant), on=["qid", "docid"], how="inner")
        drops = (pairs["score"] - pairs["score_right"]).to_numpy()
        if len(drops):
            labels = {name: run[name] for name in ("system", "testset", "query_lang", "doc_lang", "seed")}  # type: ignore[literal-required]
            spread = float(np.std(drops, ddof=1)) if len(drops) > 1 else None
            rows.append({**labels, "drop": math.fsum(drops) / len(drops), "drop_sd": spread, "pairs": len(drops)})
    tables.write_table(pl.DataFrame(rows, schema=tables.SHIFT), out, tables.SHIFT)


def _scores(run: ScoredRun, relevant: pl.DataFrame) -> pl.DataFrame:
    table = read_run(run["path"]).join(relevant.select("qid", "docid"), on=["qid", "docid"], how="semi")
    return table.select("qid", "docid", pl.col("score").cast(pl.Float64))
