"""Language bias: how a system treats the languages of a mixed pool, and how alike it answers queries in two languages.

Four measures, each a mean over queries; rankings follow the rank column, as metrics do.

- ``rank_distance``: how far apart a query's relevant documents in different languages are ranked, largest minus
  smallest rank. Where a language has several relevant documents, its best ranked one stands for it, so that the
  difference between two documents is not taken for one between languages. A relevant document that is not in the run
  has the rank after the last. Only queries with relevant documents in two languages or more. Lower is better. Huang et
  al. 2023 and 2408.10536 (METHODS 2.2), where each language has one relevant document.
- ``own_language_top10``: share of the query's own language among its ten best documents (METHODS 1.12, 3c).
- ``own_language_pool``: that share in its whole list of candidates, which is what no preference would give.
- ``rankc``: RankC between the query's rankings of the same documents when it is asked in two languages, the mean over
  the other query languages. Higher is better. Qi, Fernández and Bisazza 2023, arXiv 2310.10378
  (Betswish/Cross-Lingual-Consistency, 1_easyrun/RankC.py, softmax weights), applied to documents (METHODS 2.7).
"""

import sys
from collections.abc import Mapping, Sequence
from itertools import combinations, groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.languages import MIXED
from switchrank.core.progress import progress
from switchrank.formats.tables import BIAS, DRAW, read_relevant, read_table, write_table
from switchrank.formats.trec import read_run

_TOP = 10
_GROUP = ("testset", "system", "doc_lang", "seed")
"""Runs that differ in nothing but the language of the queries."""
Numbers = NDArray[np.integer]
Values = dict[str, tuple[float, int]]
"""Value and number of queries of each measure."""


def _among(places: Numbers, owner: Numbers, kept: NDArray[np.bool_]) -> Numbers:
    """Places counted anew, from 1 within each query, among the kept documents only."""
    if kept.all():  # the usual case, candidates being the same for every query language, spares the sort
        return places
    owner = owner[kept]
    order = np.lexsort((places[kept], owner))
    sizes = np.bincount(owner)
    starts = np.cumsum(sizes) - sizes
    among = np.empty(len(owner), dtype=np.int64)
    among[order] = np.arange(len(owner)) - starts[owner[order]] + 1
    return among


def rankc(
    first: Numbers, second: Numbers, owner: Numbers, depth: int | None = None
) -> tuple[NDArray[np.float64], Numbers]:
    r"""RankC of two rankings of the same documents, for many queries at once.

    With N candidates that both rankings have, ``RankC = sum_j w_j |top_j(first) & top_j(second)| / j`` over j = 1..N,
    w_j the softmax over (N, N-1, ..., 1), proportional to exp(-(j - 1)). A document is in both top_j exactly from its
    worse rank m on; it adds ``sum_{j = m..N} w_j / j``, one look-up in a table of tail sums.

    Args:
        first, second: places of documents, integers of shape ``(documents,)``: distinct and from 1 (best) without
            gaps within a query, 0 where the ranking does not have the document.
        owner: number of the query of each document, from 0, shape ``(documents,)``.
        depth: N is at most this.

    Returns:
        Values from above 0 to 1, and the numbers of the queries they belong to: those with a common candidate.
    """
    kept = (first > 0) & (second > 0)
    worse = np.maximum(_among(first, owner, kept), _among(second, owner, kept))
    owner = owner[kept]
    sizes = np.bincount(owner)
    limits = sizes if depth is None else np.minimum(sizes, depth)
    weights = np.exp(-np.arange(float(limits.max(initial=0))))
    tails = np.append(np.cumsum((weights / np.arange(1, len(weights) + 1))[::-1])[::-1], 0.0)
    inside = worse <= limits[owner]
    worse, owner = worse[inside], owner[inside]
    sums = np.bincount(owner, weights=tails[worse - 1] - tails[limits[owner]], minlength=len(sizes))
    queries = np.flatnonzero(sizes)
    return sums[queries] / np.cumsum(weights)[limits[queries] - 1], queries


class Rankings:
    """The rankings of one system for the same queries in several languages, four bytes per ranked document."""

    def __init__(self) -> None:
        self._index = pl.DataFrame(schema={"qid": pl.String, "docid": pl.String, "row": pl.Int64})
        self._places: dict[str, Numbers] = {}

    def add(self, language: str, ranked: pl.DataFrame) -> None:
        """Keep the places (columns ``qid docid place``, from 1) of the queries in ``language``."""
        new = ranked.join(self._index, on=["qid", "docid"], how="anti", maintain_order="left").select("qid", "docid")
        rows = pl.int_range(len(self._index), len(self._index) + len(new), eager=True)
        self._index = pl.concat([self._index, new.with_columns(row=rows)])
        found = ranked.join(self._index, on=["qid", "docid"], how="left", maintain_order="left")
        places = np.zeros(len(self._index), dtype=np.int32)
        places[found["row"].to_numpy()] = found["place"].to_numpy()
        self._places[language] = places

    def consistency(self, depth: int | None = None) -> dict[tuple[str, str], NDArray[np.float64]]:
        """RankC of every pair of languages in the order they were added: a value per query with a common candidate."""
        size = len(self._index)
        owner = self._index["qid"].rank("dense").cast(pl.Int64).to_numpy() - 1
        full = {language: np.pad(places, (0, size - len(places))) for language, places in self._places.items()}
        return {pair: rankc(full[pair[0]], full[pair[1]], owner, depth)[0] for pair in combinations(full, 2)}


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


def rank_distances(ranked: pl.DataFrame, relevant: pl.DataFrame) -> pl.DataFrame:
    """How many ranks lie between a query's relevant documents in its best and in its worst language.

    ``ranked`` has the columns ``qid docid place`` (from 1 without gaps), ``relevant`` ``qid docid lang``, the result
    ``qid rank_distance``, for the queries of both, ascending.
    """
    after = ranked.group_by("qid").agg(after=pl.len() + 1)
    placed = relevant.join(after, on="qid").join(ranked, on=["qid", "docid"], how="left")
    best = placed.group_by("qid", "lang").agg(rank=pl.coalesce("place", "after").cast(pl.Int64).min())
    return best.group_by("qid").agg(rank_distance=pl.max("rank") - pl.min("rank")).sort("qid")


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

    def measures(self, ranked: pl.DataFrame, run: Mapping[str, Any]) -> Values:
        """The measures that need no other run."""
        owned = self._with_own(self._located(ranked, run["path"]), run)
        shares = own_language_shares(owned.filter(pl.col("own").is_in(self._languages.to_list())))
        tables = [shares.select("qid", name) for name in shares.columns[1:]]
        if self._relevant is not None:
            distances = rank_distances(ranked, self._relevant)
            missing = self._relevant["qid"].n_unique() - len(distances)
            if missing:
                problem = f"{missing} queries with relevant documents have no candidates: left out of rank_distance"
                print(f"{run['path']}: {problem}", file=sys.stderr)
            tables.append(distances)
        return {t.columns[1]: (float(t[t.columns[1]].to_numpy().mean()), len(t)) for t in tables if len(t)}


def _ranked(path: str | Path) -> pl.DataFrame:
    """A run as ``qid docid place``, place counting from 1 without gaps; by qid, then place."""
    run = read_run(path)
    if run.is_empty():
        raise UserError(path, "", "no query has a candidate", "rank again, or leave this run out")
    ordered = run.sort(["qid", "rank", "score", "docid"], descending=[False, False, True, False])
    return ordered.select("qid", "docid", place=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("qid"))


def _rankc(rankings: Rankings, depth: int | None, group: str) -> dict[str, Values]:
    """RankC of each query language: the mean of its means with the others; queries are the fewest of a pair."""
    means: dict[str, list[tuple[float, int]]] = {}
    for pair, values in rankings.consistency(depth).items():
        if not len(values):
            problem = f"{pair[0]} and {pair[1]} rank nothing in common"
            raise UserError("bias", group, problem, "check the ids of the runs")
        for language in pair:
            means.setdefault(language, []).append((float(values.mean()), len(values)))
    return {
        language: {"rankc": (float(np.mean([value for value, _ in found])), min(count for _, count in found))}
        for language, found in means.items()
    }


def _group_rows(members: Sequence[Mapping[str, Any]], pool: _Pool | None, depth: int | None) -> list[dict[str, Any]]:
    """Rows of runs that differ in their query language only; each run is loaded once."""
    labels = {name: members[0][name] for name in _GROUP}
    asked = [run["query_lang"] for run in members if run["query_lang"] != MIXED]
    rankings, found = Rankings(), []
    for run in members:
        ranked = _ranked(run["path"])
        if pool is not None:
            found.append((run["query_lang"], pool.measures(ranked, run)))
        if len(asked) > 1 and run["query_lang"] != MIXED:
            rankings.add(run["query_lang"], ranked)
    group = " ".join(str(value) for value in labels.values())
    found += _rankc(rankings, depth, group).items()
    return [
        {**labels, "query_lang": query_lang, "measure": measure, "value": value, "queries": queries}
        for query_lang, values in found
        for measure, (value, queries) in values.items()
    ]


def bias_table(
    *,
    runs: Sequence[Mapping[str, Any]],
    pools: Mapping[str, Mapping[str, str | Path]],
    out: str | Path,
    depth: int | None = None,
) -> None:
    """Write BIAS: the measures of this module for every run that they are defined for.

    Args:
        runs: ``{"path", "system", "testset", "query_lang", "doc_lang", "seed"}``, TREC files that hold all candidates.
            Runs with mixed documents (``xx``) get the shares and the distance. Runs whose query language alone differs
            get ``rankc``, whatever their documents; queries drawn in several languages (``xx``) have none.
        pools: for each test set with mixed documents ``documents``, their DRAW; ``queries``, the DRAW of ``xx``
            queries, if any; ``judgements``, the JUDGEMENTS of a union pool, for ``rank_distance``: leave them out
            of a drawn pool, whose relevant documents differ in more than their language.
        out: the table; by system, testset, query_lang, doc_lang, seed, measure.
        depth: candidates RankC looks at, at most; all when None.

    One run at a time is in memory; of those that RankC compares, four bytes a line. Shares leave out queries in
    languages that the pool does not have; a measure without queries has no row.

    Raises:
        UserError: no runs, one twice or empty, a pool that is not given, documents or queries that it does not have,
            runs to compare that have no candidate in common.
    """
    if depth is not None and depth < 1:
        raise UserError("bias", "depth", f"{depth}", "give 1 or more")
    if not runs:
        raise UserError("bias", "runs", "none given", "give at least one")
    keys = itemgetter(*_GROUP, "query_lang")
    ordered = sorted(runs, key=keys)
    for run, other in pairwise(ordered):
        if keys(run) == keys(other):
            raise UserError(other["path"], "", f"the same run as {run['path']}", "give each run once")
    rows: list[dict[str, Any]] = []
    with progress(total=len(runs), what="bias", unit="runs") as bar:
        for testset, asked in groupby(ordered, key=lambda run: str(run["testset"])):
            pool = _Pool(testset, pools[testset]) if testset in pools else None
            for _, group in groupby(asked, key=itemgetter(*_GROUP)):
                members = list(group)
                mixed = members[0]["doc_lang"] == MIXED
                if mixed and pool is None:
                    problem, todo = "documents in xx, but no pool of this test set", "give the DRAW of its documents"
                    raise UserError(members[0]["path"], f"test set {testset}", problem, todo)
                rows += _group_rows(members, pool if mixed else None, depth)
                bar.update(len(members))
    table = pl.DataFrame(rows, schema=BIAS)
    order = ["system", "testset", "query_lang", "doc_lang", "seed", "measure"]
    write_table(table.sort(order), out, BIAS)
