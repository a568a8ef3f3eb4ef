"""What the report says about why: overlap.csv (words that query and passage share) and shift.csv (change of language).

Words are runs of letters, marks and digits, which may hold an apostrophe or a full stop between two letters or two
digits, under the caseless NFC key. That is what UAX 29 comes to in the scripts of the made-up world. Text without
spaces is cut by longest match.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict

import numpy as np
import polars as pl

from switchrank.formats.tables import OVERLAP, SHIFT
from tests.recompute.design import MIXED
from tests.recompute.finished import Finished, Series, mean, trec

_EDGES = (0.0, 0.25, 0.5, 0.75, 1.0)


def key(word: str) -> str:
    """The form under which words are compared (Unicode 3.13, D145)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", word).casefold())


def words(text: str, vocabulary: frozenset[str] | None) -> set[str]:
    """The distinct keys of a text."""
    return set(running_words(text, vocabulary))


def running_words(text: str, vocabulary: frozenset[str] | None) -> list[str]:
    """The keys of all words of a text; runs of letters are cut by a vocabulary of keys where there is one."""
    kinds = [unicodedata.category(character)[0].replace("M", "L") for character in text]
    runs = [""]
    for before, kind, after, character in zip(["", *kinds], kinds, [*kinds[1:], ""], text, strict=False):
        joins = character in "'’." and before == after and after in ("L", "N")
        if kind in "LN" or joins:
            runs[-1] += character
        else:
            runs.append("")
    if vocabulary is None:
        return [key(run) for run in runs if run]
    longest = max(map(len, vocabulary))
    return [key(piece) for run in runs for piece in _cut(run, vocabulary, longest)]


def _cut(run: str, vocabulary: frozenset[str], longest: int) -> list[str]:
    pieces = []
    while run:
        sizes = range(min(longest, len(run)), 0, -1)
        size = next((size for size in sizes if key(run[:size]) in vocabulary), 1)
        pieces.append(run[:size])
        run = run[size:]
    return pieces


def check_overlap(run: Finished) -> None:
    """Hold each row against the mean over queries whose best relevant passage has that share of their words."""
    metric = run.design.tested[0]
    overlaps: dict[tuple[str, ...], dict[str, float]] = {}
    expected = {}
    for series, metrics in run.scores.items():
        pair = series[1:4]
        if MIXED in pair:
            continue
        if pair not in overlaps:
            overlaps[pair] = _overlaps(run, *pair)
        bins = defaultdict(list)
        for qid, share in overlaps[pair].items():
            number = min(int(share * (len(_EDGES) - 1)), len(_EDGES) - 2)
            bins[_EDGES[number : number + 2]].append(metrics[metric][qid])
        for (low, high), values in bins.items():
            expected[*series, low, high, metric] = {"value": mean(values), "queries": len(values)}
    run.check("overlap.csv", OVERLAP, (*Series._fields, "low", "high", "metric"), expected)


def _overlaps(run: Finished, testset: str, query_lang: str, doc_lang: str) -> dict[str, float]:
    judged = run.relevant(testset, doc_lang)
    folder = run.folder / "sources" / run.design.testsets[testset].collection
    queries = texts(folder / f"queries-test-{query_lang}.parquet")
    documents = texts(folder / f"documents-{doc_lang}.parquet")
    found = {}
    for qid, grades in judged.items():
        asked = words(queries.get(qid, ""), vocabulary(run, query_lang))
        passages = [words(documents[docid], vocabulary(run, doc_lang)) for docid in grades if docid in documents]
        if asked:
            found[qid] = max((len(asked & passage) / len(asked) for passage in passages), default=0.0)
    return found


def texts(path: object) -> dict[str, str]:
    """Texts of a table by id."""
    return {name: text for name, text, _ in pl.read_parquet(path).rows()}


def vocabulary(run: Finished, language: str) -> frozenset[str] | None:
    """The keys that cut the text of a language, if any do."""
    if language not in run.design.unspaced:
        return None
    if language not in run.vocabularies:
        store = pl.read_parquet(run.folder / "vectors" / "aligned" / f"{language}.words.parquet")
        run.vocabularies[language] = frozenset(map(key, store["word"]))
    return run.vocabularies[language]


def check_shift(run: Finished) -> None:
    """Hold each row against the fall of relevant passages' scores between a system's run in one language and this."""
    expected = {}
    for series in run.series:
        reference = series._replace(doc_lang=series.query_lang)
        fits = series.testset in run.design.parallel_pairs and series.system in run.design.systems
        if not fits or series == reference or not run.path(reference).is_file():
            continue
        judged = run.relevant(series.testset, series.doc_lang)
        near, far = (_by_document(trec(run.path(one))) for one in (reference, series))
        places = [(qid, docid) for qid, grades in judged.items() for docid in grades]
        drops = [near[place] - far[place] for place in places if place in near and place in far]
        if drops:
            spread = np.std(drops, ddof=1) if len(drops) > 1 else None
            expected[series] = {"drop": mean(drops), "drop_sd": spread, "pairs": len(drops)}
    run.check("shift.csv", SHIFT, Series._fields, expected)


def _by_document(ranking: dict[str, list[tuple[str, float]]]) -> dict[tuple[str, str], float]:
    return {(qid, docid): score for qid, lines in ranking.items() for docid, score in lines}
