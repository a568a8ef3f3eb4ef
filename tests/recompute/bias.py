"""How systems treat the languages of mixed pools: bias.csv, and by query bias_per_query.parquet.

rank_distance and max_rank come from the ranks of a query's relevant documents over languages, the best one of each;
RankC from its formula with sets, the rank correlation from SciPy's.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator

import polars as pl
from scipy.stats import spearmanr

from switchrank.formats.tables import BIAS, PER_QUERY
from tests.recompute.design import MIXED
from tests.recompute.finished import Finished, Series, mean, ranked
from tests.recompute.rankings import Rankings

Measured = tuple[str, dict[str, float]]
Agreement = Callable[[list[str], list[str]], float | None]


def check_bias(run: Finished) -> None:
    """Hold each row against the measures of its run; random rankings have none."""
    expected = {}
    rankings = {series: ranked(run.path(series)) for series in run.series if series.system != "random"}
    for series, ranking in rankings.items():
        if series.doc_lang == MIXED:
            for measure, values in _pooled(run, series, ranking):
                if values:
                    expected[*series, measure] = {"value": mean(values.values()), "queries": len(values)}
    agreements = {"rankc": _rankc, "rank_correlation": _correlation}
    for measure in agreements.keys() & set(run.design.bias):
        for series, values in _consistency(rankings, agreements[measure]).items():
            expected[*series, measure] = {
                "value": mean(mean(one) for one in values),
                "queries": min(len(one) for one in values),
            }
    expected = {key: told for key, told in expected.items() if key[-1].startswith(run.design.bias)}
    run.check("bias.csv", BIAS, (*Series._fields, "measure"), expected)


def check_bias_per_query(run: Finished) -> None:
    """Hold every row against the value of its query."""
    expected = {
        (*series, qid, measure): {"value": value}
        for series, measured in pooled(run).items()
        for measure, values in measured.items()
        for qid, value in values.items()
    }
    run.check("bias_per_query.parquet", PER_QUERY, (*Series._fields, "qid", "metric"), expected)


def pooled(run: Finished) -> dict[Series, dict[str, dict[str, float]]]:
    """By run that has documents in several languages, and measure asked for: the value of each query."""
    return {
        series: {
            measure: values
            for measure, values in _pooled(run, series, ranked(run.path(series)))
            if measure.startswith(run.design.bias)
        }
        for series in run.series
        if series.system != "random" and series.doc_lang == MIXED
    }


def _pooled(run: Finished, series: Series, ranking: Rankings) -> Iterator[Measured]:
    """The measures of rankings of documents in several languages."""
    testset = run.design.testsets[series.testset]
    pool = run.folder / "pools" / series.testset
    language = dict(pl.read_parquet(pool / "documents-draw.parquet").rows())
    own = dict.fromkeys(ranking, series.query_lang)
    if series.query_lang == MIXED:
        own = dict(pl.read_parquet(pool / "queries-draw.parquet").rows())
    there = set(language.values())
    asked = {qid: docids for qid, docids in ranking.items() if own[qid] in there}
    for measure, depth in (("own_language_top10", 10), ("own_language_pool", None)):
        shares = {qid: mean(language[d] == own[qid] for d in docids[:depth]) for qid, docids in asked.items()}
        yield measure, shares
    if testset.every:
        ranks = _ranks(ranking, run.relevant(series.testset, MIXED), language)
        yield "rank_distance", {qid: max(one) - min(one) for qid, one in ranks.items()}
        yield "max_rank", {qid: max(one) for qid, one in ranks.items()}


def _ranks(ranking: Rankings, judged: dict[str, dict[str, int]], language: dict[str, str]) -> dict[str, list[int]]:
    """For each query the best rank of a relevant document in each language."""
    found = {}
    for qid, grades in judged.items():
        docids = ranking.get(qid)
        if docids is None or len({language[docid] for docid in grades}) < 2:
            continue
        best: dict[str, int] = {}
        for docid in grades:
            rank = docids.index(docid) + 1 if docid in docids else len(docids) + 1
            best[language[docid]] = min(rank, best.get(language[docid], rank))
        found[qid] = list(best.values())
    return found


def _consistency(rankings: dict[Series, Rankings], agreement: Agreement) -> dict[Series, list[list[float]]]:
    """For each run the agreement on each query with each run that differs in the language of its queries alone."""
    found: dict[Series, list[list[float]]] = defaultdict(list)
    for series, ours in rankings.items():
        for other, theirs in rankings.items():
            alike = series._replace(query_lang="") == other._replace(query_lang="")
            if alike and series != other and MIXED not in (series.query_lang, other.query_lang):
                values = [agreement(ours[qid], theirs[qid]) for qid in ours.keys() & theirs.keys()]
                found[series].append([value for value in values if value is not None])
    return found


def _rankc(first: list[str], second: list[str]) -> float | None:
    """RankC over the candidates of both rankings: weighted overlap at every depth, softmax of (N, ..., 1)."""
    common = set(first) & set(second)
    if not common:
        return None
    ours, theirs = ([docid for docid in ranking if docid in common] for ranking in (first, second))
    weights = [math.exp(-depth) for depth in range(len(common))]
    shares = [len(set(ours[:depth]) & set(theirs[:depth])) / depth for depth in range(1, len(common) + 1)]
    return math.fsum(w * share for w, share in zip(weights, shares, strict=True)) / math.fsum(weights)


def _correlation(first: list[str], second: list[str]) -> float | None:
    """Spearman's over the documents of either ranking; those that it lacks come after its last and tie."""
    documents = sorted({*first, *second})
    if len(documents) < 2 or not first or not second:
        return None
    ranks = [[one.index(d) if d in one else len(one) for d in documents] for one in (first, second)]
    return float(spearmanr(*ranks).statistic)
