"""Language bias: how a system treats the languages of a mixed pool, and how alike it answers queries in two languages.

Each measure is a mean over queries; rankings follow the rank column, as metrics do. A run may hold fewer documents than
the pool, its best ones: what it does not hold is ranked right after its last document. So ranks are told too small
where runs are cut off, and runs of one depth only should be compared.

- ``rank_distance``: how far apart a query's relevant documents in different languages are ranked, largest minus
  smallest rank. Where a language has several relevant documents, its best ranked one stands for it, so that the
  difference between two documents is not taken for one between languages. Only queries with relevant documents in two
  languages or more. Lower is better. Huang et al. 2023 and Elmahdy et al. 2024, arXiv 2408.10536, where each language
  has one relevant document.
- ``max_rank``: the largest of these ranks, down to which one must read to have found the passage in every language.
  Lower is better. Max@R of Hong et al. 2026, arXiv 2604.05684, where a query has one relevant document in each
  language.
- ``own_language``: ``own_language_top10`` is the share of the query's own language among its ten best documents,
  ``own_language_pool`` that share in its whole list of candidates, which is what no preference would give.
- ``rankc``: RankC between the query's rankings of the same documents when it is asked in two languages, the mean over
  the other query languages. Higher is better; documents that only one of the two rankings has do not count.
- ``rank_correlation``: the same by Spearman's rank correlation, -1 to 1, where they do count (MRC, arXiv 2509.06195).

:mod:`switchrank.evaluate.consistency` has the last two.
"""

import sys
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.languages import MIXED
from switchrank.core.progress import progress
from switchrank.evaluate.consistency import Agreement, Rankings, rank_correlation, rankc
from switchrank.formats.measures import USUAL_BIAS, BiasMeasure
from switchrank.formats.tables import BIAS, DRAW, PER_QUERY, read_relevant, read_table, write_table
from switchrank.formats.trec import read_run

_TOP = 10
_GROUP = ("testset", "system", "doc_lang", "seed")
"""Runs that differ in nothing but the language of the queries."""
_ORDER = ("system", "testset", "query_lang", "doc_lang", "seed")
Values = dict[str, tuple[float, int]]
"""Value and number of queries of each measure."""


def own_language_shares(ranked: pl.DataFrame) -> pl.DataFrame:
    """The share of each query's own language at the top and in its whole list, 0 to 1; a short list is its own top.

    Args:
        ranked: columns ``qid``, ``place`` (from 1), ``lang`` of the document, ``own``, the language of the query.

    Returns:
        Columns ``qid``, ``own_language_top10``, ``own_language_pool``; queries in order of appearance.
    """
    same = pl.col("lang") == pl.col("own")
    shares = {"own_language_top10": same.filter(pl.col("place") <= _TOP).mean(), "own_language_pool": same.mean()}
    return ranked.group_by("qid", maintain_order=True).agg(**shares)


def language_ranks(ranked: pl.DataFrame, relevant: pl.DataFrame) -> pl.DataFrame:
    """How well a query's relevant documents are ranked in its worst language, and how much better in its best.

    ``ranked`` has the columns ``qid docid place`` (from 1 without gaps), ``relevant`` ``qid docid lang``, the result
    ``qid rank_distance max_rank``, for the queries of both, ascending.
    """
    after = ranked.group_by("qid").agg(after=pl.len() + 1)
    placed = relevant.join(after, on="qid").join(ranked, on=["qid", "docid"], how="left")
    best = placed.group_by("qid", "lang").agg(rank=pl.coalesce("place", "after").cast(pl.Int64).min())
    rank = pl.col("rank")
    return best.group_by("qid").agg(rank_distance=rank.max() - rank.min(), max_rank=rank.max()).sort("qid")


class _Pool:
    """A test set's pool of documents in several languages: which is in which, and which are relevant."""

    def __init__(self, testset: str, given: Mapping[str, str | Path]) -> None:
        unknown = sorted(set(given) - {"documents", "queries", "judgements"})
        if unknown or "documents" not in given:
            problem = f"unknown table {unknown[0]}" if unknown else "no DRAW of its documents"
            raise UserError("bias", f"pool {testset}", problem, "give documents and, if any, queries and judgements")
        self._documents = read_table(given["documents"], DRAW).select(docid="id", lang="lang")
        self._languages = self._documents["lang"].unique().sort()
        self._queries = given.get("queries")
        self._relevant: pl.DataFrame | None = None
        if "judgements" in given:
            judged = read_relevant(given["judgements"])
            relevant = self._located(judged.select("qid", "docid"), given["judgements"])
            self._relevant = relevant.filter(pl.col("lang").n_unique().over("qid") > 1)

    def _located(self, table: pl.DataFrame, path: str | Path) -> pl.DataFrame:
        """``table`` with the language of each document."""
        located = table.join(self._documents, on="docid", how="left", maintain_order="left")
        strangers = located.filter(pl.col("lang").is_null())["docid"]
        if len(strangers):
            problem = f"in the pool of no language ({len(strangers)} such lines)"
            raise UserError(path, f"document {strangers[0]}", problem, "give the DRAW of this pool's documents")
        return located

    def _with_own(self, ranked: pl.DataFrame, run: Mapping[str, Any]) -> pl.DataFrame:
        if run["query_lang"] != MIXED:
            return ranked.with_columns(own=pl.lit(run["query_lang"], dtype=pl.String))
        if self._queries is None:
            raise UserError(run["path"], "queries in xx", "no DRAW of the queries", "give the languages they are in")
        drawn = read_table(self._queries, DRAW).select(qid="id", own="lang")
        owned = ranked.join(drawn, on="qid", how="left", maintain_order="left")
        strangers = owned.filter(pl.col("own").is_null())["qid"]
        if len(strangers):
            problem = f"drawn in no language of {self._queries}"
            raise UserError(run["path"], f"query {strangers[0]}", problem, "give the DRAW of these queries")
        return owned

    def values(self, ranked: pl.DataFrame, run: Mapping[str, Any], asked: Collection[str]) -> dict[str, pl.DataFrame]:
        """The measures asked for that need no other run, each with ``qid`` and ``value`` of its queries, if any."""
        tables = []
        if "own_language" in asked:
            owned = self._with_own(self._located(ranked, run["path"]), run)
            tables.append(own_language_shares(owned.filter(pl.col("own").is_in(self._languages.to_list()))))
        of_ranks = [name for name in ("rank_distance", "max_rank") if name in asked]
        if of_ranks and self._relevant is not None:
            ranks = language_ranks(ranked, self._relevant)
            missing = self._relevant["qid"].n_unique() - len(ranks)
            if missing:
                problem = f"{missing} queries with relevant documents have no candidates"
                print(f"{run['path']}: {problem}: left out of {', '.join(of_ranks)}", file=sys.stderr)
            tables.append(ranks.select("qid", *of_ranks))
        return {
            name: table.select("qid", value=pl.col(name).cast(pl.Float64))
            for table in tables
            for name in table.columns[1:]
            if len(table)
        }


def _ranked(path: str | Path) -> pl.DataFrame:
    """A run as ``qid docid place``, place counting from 1 without gaps; by qid, then place."""
    run = read_run(path)
    if run.is_empty():
        raise UserError(path, "", "no query has a candidate", "rank again, or leave this run out")
    ordered = run.sort(["qid", "rank", "score", "docid"], descending=[False, False, True, False])
    return ordered.select("qid", "docid", place=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("qid"))


def _agreement(rankings: Rankings, measure: str, agreement: Agreement, group: str) -> dict[str, Values]:
    """A measure of each query language: the mean of its means with the others; queries are the fewest of a pair."""
    means: dict[str, list[tuple[float, int]]] = {}
    for pair, values in rankings.compared(agreement).items():
        if not len(values):
            problem = f"{pair[0]} and {pair[1]} rank nothing in common"
            raise UserError("bias", group, problem, "check the ids of the runs")
        for language in pair:
            means.setdefault(language, []).append((float(values.mean()), len(values)))
    return {
        language: {measure: (float(np.mean([value for value, _ in found])), min(count for _, count in found))}
        for language, found in means.items()
    }


class _Measured:
    """Rows of BIAS, and of PER_QUERY where a measure has a value for each query of a run."""

    def __init__(self, asked: Collection[str], depth: int | None) -> None:
        self.rows: list[dict[str, Any]] = []
        self.queries = [pl.DataFrame(schema=PER_QUERY)]
        self._asked = asked
        agreements: dict[str, Agreement] = {"rankc": partial(rankc, depth=depth), "rank_correlation": rank_correlation}
        self._agreements = {name: agreement for name, agreement in agreements.items() if name in asked}

    def add(self, members: Sequence[Mapping[str, Any]], pool: _Pool | None) -> None:
        """Measure runs that differ in their query language only; each is loaded once."""
        labels = {name: members[0][name] for name in _GROUP}
        asked = [run["query_lang"] for run in members if run["query_lang"] != MIXED]
        compared = bool(self._agreements) and len(asked) > 1
        rankings = Rankings()
        for run in members:
            ranked = _ranked(run["path"])
            if pool is not None:
                self._add_values(labels | {"query_lang": run["query_lang"]}, pool.values(ranked, run, self._asked))
            if compared and run["query_lang"] != MIXED:
                rankings.add(run["query_lang"], ranked)
        group = " ".join(str(value) for value in labels.values())
        for measure, agreement in self._agreements.items():
            for query_lang, found in _agreement(rankings, measure, agreement, group).items():
                self._add_rows(labels | {"query_lang": query_lang}, found)

    def _add_values(self, labels: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> None:
        found = {name: (float(table["value"].to_numpy().mean()), len(table)) for name, table in tables.items()}
        self._add_rows(labels, found)
        for measure, table in tables.items():
            told = {name: pl.lit(value) for name, value in (labels | {"metric": measure}).items()}
            self.queries.append(table.with_columns(**told).select(list(PER_QUERY)).cast(pl.Schema(PER_QUERY)))

    def _add_rows(self, labels: dict[str, Any], found: Values) -> None:
        for measure, (value, queries) in found.items():
            self.rows.append({**labels, "measure": measure, "value": value, "queries": queries})


def bias_table(
    *,
    runs: Sequence[Mapping[str, Any]],
    pools: Mapping[str, Mapping[str, str | Path]],
    out: str | Path,
    measures: Collection[BiasMeasure] = USUAL_BIAS,
    depth: int | None = None,
    per_query_out: str | Path | None = None,
) -> None:
    """Write BIAS: measures of this module for every run that they are defined for.

    Args:
        runs: ``{"path", "system", "testset", "query_lang", "doc_lang", "seed"}``, TREC files that hold all candidates.
            Runs with mixed documents (``xx``) get the shares and what is made of ranks. Runs whose query language alone
            differs get ``rankc`` and ``rank_correlation``, whatever their documents; queries drawn in several languages
            (``xx``) have none.
        pools: for each test set with mixed documents ``documents``, their DRAW; ``queries``, the DRAW of ``xx``
            queries, if any; ``judgements``, the JUDGEMENTS of a union pool, for ``rank_distance`` and ``max_rank``:
            leave them out of a drawn pool, whose relevant documents differ in more than their language.
        out: the table; by system, testset, query_lang, doc_lang, seed, measure.
        measures: which.
        depth: candidates RankC looks at, at most; all when None.
        per_query_out: PER_QUERY table to write too (.parquet), of the measures that need one run alone.

    One run at a time is in memory; of those that are compared, four bytes a line. Shares leave out queries in
    languages that the pool does not have; a measure without queries has no row.

    Raises:
        UserError: an unknown measure, no runs, one twice or empty, a pool that is not given, documents or queries that
            it does not have, runs to compare that have no candidate in common.
    """
    if depth is not None and depth < 1:
        raise UserError("bias", "depth", f"{depth}", "give 1 or more")
    unknown = sorted(set(measures) - set(get_args(BiasMeasure)))
    if unknown or not measures:
        problem = f"unknown measure {unknown[0]}" if unknown else "none given"
        raise UserError("bias", "measures", problem, f"write {', '.join(get_args(BiasMeasure))}")
    if not runs:
        raise UserError("bias", "runs", "none given", "give at least one")
    keys = itemgetter(*_GROUP, "query_lang")
    ordered = sorted(runs, key=keys)
    for run, other in pairwise(ordered):
        if keys(run) == keys(other):
            raise UserError(other["path"], "", f"the same run as {run['path']}", "give each run once")
    found = _Measured(measures, depth)
    with progress(total=len(runs), what="bias", unit="runs") as bar:
        for testset, asked in groupby(ordered, key=lambda run: str(run["testset"])):
            pool = _Pool(testset, pools[testset]) if testset in pools else None
            for _, group in groupby(asked, key=itemgetter(*_GROUP)):
                members = list(group)
                mixed = members[0]["doc_lang"] == MIXED
                if mixed and pool is None:
                    problem, todo = "documents in xx, but no pool of this test set", "give the DRAW of its documents"
                    raise UserError(members[0]["path"], f"test set {testset}", problem, todo)
                found.add(members, pool if mixed else None)
                bar.update(len(members))
    write_table(pl.DataFrame(found.rows, schema=BIAS).sort(*_ORDER, "measure"), out, BIAS)
    if per_query_out is not None:
        write_table(pl.concat(found.queries).sort(*_ORDER, "metric", "qid"), per_query_out, PER_QUERY)
