"""How systems treat the languages of mixed pools: bias.csv.

rank_distance is METHODS 2.2 (max minus min rank of a query's relevant documents over languages, the best one of each);
RankC is METHODS 2.7, from its formula with sets.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator

import polars as pl

from switchrank.formats.tables import BIAS
from tests.recompute.design import MIXED
from tests.recompute.finished import Finished, Series, mean, ranked
from tests.recompute.rankings import Rankings

Measured = tuple[str, list[float]]


def check_bias(run: Finished) -> None:
    """Hold each row against the measures of its run; random rankings have none."""
    expected = {}
    rankings = {series: ranked(run.path(series)) for series in run.series if series.system != "random"}
    for series, ranking in rankings.items():
        if series.doc_lang == MIXED:
            for measure, values in _pooled(run, series, ranking):
                if values:
                    expected[*series, measure] = {"value": mean(values), "queries": len(values)}
    for series, values in _consistency(rankings).items():
        expected[*series, "rankc"] = {
            "value": mean(mean(one) for one in values),
            "queries": min(len(one) for one in values),
        }
    run.check("bias.csv", BIAS, (*Series._fields, "measure"), expected)


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
        yield measure, [mean(language[d] == own[qid] for d in docids[:depth]) for qid, docids in asked.items()]
    if testset.every:
        yield "rank_distance", list(_distances(ranking, run.relevant(series.testset, MIXED), language))


def _distances(ranking: Rankings, judged: dict[str, dict[str, int]], language: dict[str, str]) -> Iterator[float]:
    for qid, grades in judged.items():
        docids = ranking.get(qid)
        if docids is None or len({language[docid] for docid in grades}) < 2:
            continue
        best: dict[str, int] = {}
        for docid in grades:
            rank = docids.index(docid) + 1 if docid in docids else len(docids) + 1
            best[language[docid]] = min(rank, best.get(language[docid], rank))
        yield max(best.values()) - min(best.values())


def _consistency(rankings: dict[Series, Rankings]) -> dict[Series, list[list[float]]]:
    """For each run the RankC of each query with each run that differs in the language of its queries alone."""
    found: dict[Series, list[list[float]]] = defaultdict(list)
    for series, ours in rankings.items():
        for other, theirs in rankings.items():
            alike = series._replace(query_lang="") == other._replace(query_lang="")
            if alike and series != other and MIXED not in (series.query_lang, other.query_lang):
                values = [_rankc(ours[qid], theirs[qid]) for qid in ours.keys() & theirs.keys()]
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
