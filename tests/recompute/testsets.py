"""What was tested on: testsets.csv, and coverage.csv, the words of lexicons in its texts and in the training text."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import polars as pl

from switchrank.formats.tables import COVERAGE, TESTSETS
from tests.recompute.design import MIXED
from tests.recompute.finished import Finished, mean
from tests.recompute.stages import Ways, ways
from tests.recompute.texts import candidates, documents, text_path
from tests.recompute.why import running_words, texts, vocabulary

_LOOKED_AT = 2000


def check_testsets(run: Finished) -> None:
    """Hold each row against the judgements, texts and candidates of its document language."""
    expected, searched = {}, ways(run)
    for testset, language in sorted({(series.testset, series.doc_lang) for series in run.series}):
        given, judged = run.design.testsets[testset], run.relevant(testset, language)
        every, lists = set(documents(run, testset, language)), lists_of(run, testset, language)
        expected[testset, language] = {
            "collection": given.collection,
            "format": given.format,
            "relevance": given.relevance,
            "documents": len(every),
            "queries": len(judged),
            "relevant": mean(len(grades) for grades in judged.values()),
            "candidates": mean(map(len, lists)),
            "candidate_recall": mean(
                any(docid in one for docid in grades) for one, grades in zip(lists, judged.values(), strict=True)
            ),
            "chance": chance(run, testset, language),
            "search": (search := given.search(language, run.design.source)),
            "own_recall": _mean_recall(searched, "own", testset, language, search),
            "translated_recall": _mean_recall(searched, "translated", testset, language, search),
        }
    run.check("testsets.csv", TESTSETS, ("testset", "doc_lang"), expected)


def lists_of(run: Finished, testset: str, language: str) -> list[set[str]]:
    """The candidates of every judged query."""
    listed = candidates(run, testset, language)
    every = set(documents(run, testset, language)) if listed is None else set()
    return [every if listed is None else listed.get(qid, set()) for qid in run.relevant(testset, language)]


def chance(run: Finished, testset: str, language: str) -> float:
    """What a random order of the candidates scores on average."""
    judged = run.relevant(testset, language).values()
    lists = zip(lists_of(run, testset, language), judged, strict=True)
    return mean(_by_chance(len(one), sum(docid in one for docid in grades)) for one, grades in lists)


def _by_chance(candidates: int, relevant: int) -> float:
    """Mean reciprocal rank, to depth 10, over all orders: those whose first relevant document stands at a place."""
    orders = math.comb(candidates, relevant)
    firsts = (math.comb(candidates - place, relevant - 1) / place for place in range(1, min(10, candidates) + 1))
    return sum(firsts) / orders if relevant else 0.0


def _mean_recall(searched: Ways, way: str, testset: str, language: str, search: str) -> float | None:
    """Over pairs of two or mixed languages that the candidates were not searched for, what a way finds on average."""
    theirs = [
        told["recall"]
        for (name, query, document, how, _), told in searched.items()
        if (name, document, how) == (testset, language, way)
        and (query != document or query == MIXED)
        and f"{query}-{document}" not in search.split()
    ]
    return mean(theirs) if theirs else None


def check_coverage(run: Finished) -> None:
    """Hold each row against the words of the texts, one by one, and the statistics of the corpora."""
    run.check("coverage.csv", COVERAGE, ("lexicon", "lang", "testset", "side"), covered(run))


def covered(run: Finished) -> dict[tuple[str, ...], dict[str, Any]]:
    """The rows of coverage.csv."""
    switched = _statistics(run)
    expected: dict[tuple[str, ...], dict[str, Any]] = {}
    for (corpus, language), sides in switched.items():
        words = sum(side["content_tokens"] for side in sides)
        known = sum(side["languages"][language]["covered"] for side in sides)
        row = (run.design.switched[corpus], language, corpus, "training")
        expected[row] = {"words": words, "covered": known, "share": known / words}
    for lexicon, language in sorted({(run.design.switched[corpus], language) for corpus, language in switched}):
        table = pl.read_parquet(run.folder / "lexicons" / lexicon / f"{run.design.source}-{language}.parquet")
        known = vocabulary(run, language)
        targets = {word for target in table["target"] for word in running_words(target, known)}
        for testset, side, some in _tested(run, language):
            found = [word in targets for text in some for word in running_words(text, known)]
            share = sum(found) / len(found) if found else None
            expected[lexicon, language, testset, side] = {"words": len(found), "covered": sum(found), "share": share}
    return expected


def _statistics(run: Finished) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """By corpus and language, the statistics of the sides that the language is switched in on."""
    found = defaultdict(list)
    for corpus in run.design.switched:
        for file in sorted((run.folder / "corpora" / corpus).glob("*/stats.json")):
            record = json.loads(file.read_text(encoding="utf-8"))
            for side in (record["query"], record["passage"]):
                for language in side["languages"]:
                    found[corpus, language].append(side)
    return found


def _tested(run: Finished, language: str) -> Iterator[tuple[str, str, list[str]]]:
    """Test set, side and texts of every side of a test set that holds the language."""
    for testset, given in run.design.testsets.items():
        named = MIXED if language in given.mixed else language
        pairs = {series[2:4] for series in run.series if series.testset == testset}
        if named in {query for query, _ in pairs}:
            queries = texts(text_path(run, testset, "queries", named))
            asked = {qid for _, document in pairs for qid in run.relevant(testset, document)}
            kept = asked & _in_language(run, testset, "queries", language, queries)
            yield testset, "query", [queries[qid] for qid in kept]
        if named in {document for _, document in pairs}:
            passages = documents(run, testset, named)
            kept = _in_language(run, testset, "documents", language, passages)
            listed = candidates(run, testset, named)
            if listed is not None:
                kept &= {docid for one in listed.values() for docid in one}
            yield testset, "document", [passages[docid] for docid in sorted(kept)[:_LOOKED_AT]]


def _in_language(run: Finished, testset: str, kind: str, language: str, given: dict[str, str]) -> set[str]:
    """The ids of a pool's texts that are in the language; outside of pools, all."""
    if language not in run.design.testsets[testset].mixed:
        return set(given)
    draw = pl.read_parquet(run.folder / "pools" / testset / f"{kind}-draw.parquet")
    return given.keys() & {name for name, drawn in draw.rows() if drawn == language}
