"""Measures of a ranking: by ir_measures, and by the textbook definitions, which need no library."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable

Rankings = dict[str, list[str]]
"""Documents of each query, best first."""
Judgements = dict[str, dict[str, int]]
"""Relevant documents of each query and their grades, from 1."""
Scores = dict[str, dict[str, float]]
"""Metric, query, value."""
Scorer = Callable[[Rankings, Judgements, list[str]], Scores]


def by_definition(rankings: Rankings, judgements: Judgements, metrics: list[str]) -> Scores:
    """RR, nDCG (linear gains), AP and recall of each judged query; no cut-off means the whole ranking."""
    functions = {"mrr": _reciprocal_rank, "ndcg": _ndcg, "map": _average_precision, "recall": _recall}
    scores: Scores = {}
    for metric in metrics:
        name, _, depth = metric.partition("@")
        scores[metric] = {
            qid: functions[name](rankings.get(qid, [])[: int(depth) if depth else None], grades, int(depth or 0))
            for qid, grades in judgements.items()
        }
    return scores


def _reciprocal_rank(ranking: list[str], grades: dict[str, int], _: int) -> float:
    return next((1 / rank for rank, docid in enumerate(ranking, 1) if docid in grades), 0.0)


def _ndcg(ranking: list[str], grades: dict[str, int], depth: int) -> float:
    best = sorted(grades.values(), reverse=True)[: depth or None]
    found = [grades.get(docid, 0) for docid in ranking]
    gain, most = (math.fsum(g / math.log2(place + 2) for place, g in enumerate(gains)) for gains in (found, best))
    return gain / most


def _average_precision(ranking: list[str], grades: dict[str, int], _: int) -> float:
    hits = [rank for rank, docid in enumerate(ranking, 1) if docid in grades]
    return math.fsum(number / rank for number, rank in enumerate(hits, 1)) / len(grades)


def _recall(ranking: list[str], grades: dict[str, int], _: int) -> float:
    return sum(docid in grades for docid in ranking) / len(grades)


def by_ir_measures(rankings: Rankings, judgements: Judgements, metrics: list[str]) -> Scores:
    """The same by ir_measures. Scores fall with rank, so that no tie is left to break; queries it leaves out are 0."""
    import ir_measures

    names = {"mrr": "RR", "ndcg": "nDCG", "map": "AP", "recall": "R"}
    measures = {}
    for metric in metrics:
        name, at, depth = metric.partition("@")
        measures[ir_measures.parse_measure(names[name] + at + depth)] = metric
    run = {
        qid: {docid: float(-rank) for rank, docid in enumerate(ranking)}
        for qid, ranking in rankings.items()
        if qid in judgements
    }
    scores: Scores = {metric: dict.fromkeys(judgements, 0.0) for metric in metrics}
    for found in ir_measures.iter_calc(list(measures), judgements, run):
        scores[measures[found.measure]][found.query_id] = found.value
    return scores


SCORERS: dict[str, Scorer] = {"ir_measures": by_ir_measures, "definitions": by_definition}
PEER = "ir_measures" if importlib.util.find_spec("ir_measures") else "definitions"
"""What :func:`recompute` scores rankings with unless told."""
