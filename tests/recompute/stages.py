"""first_stage.csv, what searches would find, and exposure.csv, test documents that training has met."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.formats.tables import EXPOSURE, FIRST_STAGE
from tests.recompute.design import MIXED
from tests.recompute.finished import Finished, Judgements, mean
from tests.recompute.texts import candidates, documents, text_path
from tests.recompute.why import running_words, texts, vocabulary

K1, B = 0.9, 0.4
Ways = dict[tuple[str, ...], dict[str, Any]]


def check_first_stage(run: Finished) -> None:
    """Hold each row against lists of candidates, and against BM25 by its formula."""
    run.check("first_stage.csv", FIRST_STAGE, ("testset", "query_lang", "doc_lang", "way", "search"), ways(run))


def ways(run: Finished) -> Ways:
    """By test set, pair, way and search, what the row says."""
    found: Ways = {}
    for testset, query, document in sorted({series[1:4] for series in run.series}):
        listed, judged = candidates(run, testset, document), run.relevant(testset, document)
        if listed is None:
            continue
        depth = max((len(listed.get(qid, ())) for qid in judged), default=0)
        told = {"depth": depth, "queries": len(judged)}
        used = mean(bool(listed.get(qid, set()) & grades.keys()) for qid, grades in judged.items())
        search = run.design.testsets[testset].search(document, run.design.source)
        found[testset, query, document, "used", search] = {"recall": used, **told}
        paths = [text_path(run, testset, kind, lang) for kind, lang in (("queries", query), ("documents", document))]
        cut = [vocabulary(run, query), vocabulary(run, document)]
        own = _recall(paths, cut, judged, depth)
        found[testset, query, document, "own", f"{query}-{document}"] = {"recall": own, **told}
        for lexicon, languages in run.design.translating.items():
            sides = {query, document}
            if MIXED in sides or not sides <= {*languages, run.design.source} or sides == {run.design.source}:
                continue
            folder = run.folder / "translated" / lexicon / run.design.testsets[testset].collection
            moved = [
                path if lang == run.design.source else folder / path.name
                for path, lang in zip(paths, (query, document), strict=True)
            ]
            recall = _recall(moved, [vocabulary(run, run.design.source)] * 2, judged, depth)
            found[testset, query, document, "translated", f"{query}-{document} by {lexicon}"] = {
                "recall": recall
            } | told
    return found


def _recall(paths: list[Path], cut: list[frozenset[str] | None], judged: Judgements, depth: int) -> float:
    queries, passages = texts(paths[0]), texts(paths[1])
    held = {docid: Counter(running_words(text, cut[1])) for docid, text in passages.items()}
    lengths = {docid: counts.total() for docid, counts in held.items()}
    average = sum(lengths.values()) / len(lengths)
    holders: dict[str, list[str]] = defaultdict(list)
    for docid, counts in held.items():
        for word in counts:
            holders[word].append(docid)
    hits = []
    for qid, grades in judged.items():
        scores: dict[str, float] = defaultdict(float)
        for word in running_words(queries.get(qid, ""), cut[0]):
            rarity = math.log(1 + (len(held) - len(holders[word]) + 0.5) / (len(holders[word]) + 0.5))
            for docid in holders[word]:
                count = held[docid][word]
                scores[docid] += rarity * count / (count + K1 * (1 - B + B * lengths[docid] / average))
        best = sorted(scores, key=lambda docid: (-round(scores[docid], 5), docid))[:depth]
        hits.append(any(docid in grades for docid in best))
    return mean(hits)


def check_exposure(run: Finished) -> None:
    """Hold each row against the ids of the training pairs; test sets are of the collection that is learnt from."""
    expected = {}
    for collection, systems in run.design.learnt.items():
        met = pl.read_parquet(run.folder / "instances" / collection / "train.parquet")
        seen = {label: set(met.filter(pl.col("label") == label)["pid"]) for label in (0, 1)}
        for testset in {series.testset for series in run.series}:
            given = run.design.testsets[testset]
            assert given.parallel
            assert given.collection == collection, "no test of this comparison by text is made here"
            ranked, relevant = _ranked(run, testset)
            counts = {"documents": len(ranked), "relevant": len(relevant)}
            for name, some in (("", ranked), ("relevant_", relevant)):
                counts |= {f"{name}{label}s": len(some & seen[n]) for n, label in enumerate(("negative", "positive"))}
            expected[collection, testset] = counts | {"systems": " ".join(systems), "by": "id"}
    run.check("exposure.csv", EXPOSURE, ("training", "testset"), expected)


def _ranked(run: Finished, testset: str) -> tuple[set[str], set[str]]:
    """Documents that are candidates of a judged query or relevant, in any language, and those that are relevant."""
    given = run.design.testsets[testset]
    languages = given.mixed or {series.doc_lang for series in run.series if series.testset == testset}
    ranked: set[str] = set()
    relevant: set[str] = set()
    for language in languages:
        named = run.design.source if given.mixed and not given.every else language
        judged, listed = run.relevant(testset, named), candidates(run, testset, named)
        needed = {docid for grades in judged.values() for docid in grades}
        known = set(documents(run, testset, language))
        found = known if listed is None else {docid for qid in judged for docid in listed.get(qid, ())}
        ranked |= known & (found | needed)
        relevant |= known & needed
    return ranked, relevant
