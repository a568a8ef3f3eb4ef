"""What must be known before results are believed: warnings.csv, from scores, candidates and words of lexicons."""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import stdev

from switchrank.formats.tables import WARNINGS
from tests.recompute.finished import Finished, mean
from tests.recompute.testsets import chance, covered


def check_warnings(run: Finished) -> None:
    """Hold every row against what it warns of: language pairs at chance, small test sets, poor lexicons."""
    expected = {**_at_chance(run), **_few_queries(run), **(_poor_lexicons(run) if run.design.switched else {})}
    run.check("warnings.csv", WARNINGS, ("kind", "subject"), {key: {"warning": text} for key, text in expected.items()})


def _at_chance(run: Finished) -> dict[tuple[str, str], str]:
    by_chance = {place: chance(run, *place) for place in {(testset, document) for testset, _, document, _ in run.cells}}
    pairs: dict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    for (testset, query, document, metric), systems in run.cells.items():
        for system in systems.keys() - set(run.design.references) if metric == "mrr@10" else ():
            values = list(systems[system][0].values())
            error = stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.inf
            low = mean(values) - 1.645 * error
            pairs[system, testset][f"{query}-{document}"] = low <= by_chance[testset, document]
    texts = {}
    for (system, testset), found in pairs.items():
        poor = [pair for pair in sorted(found) if found[pair]]
        texts["chance", f"{system} on {testset}"] = (
            f"{system} ranks {testset} no better than chance in {len(poor)} of {len(found)} language pairs "
            f"({_some(poor)}): believe no comparison with it there; look at its training loss and its data, or train "
            "it longer"
        )
    return {key: text for key, text in texts.items() if any(pairs[tuple(key[1].split(" on "))].values())}


def _few_queries(run: Finished) -> dict[tuple[str, str], str]:
    small = defaultdict(list)
    for testset, language in sorted({(series.testset, series.doc_lang) for series in run.series}):
        queries = len(run.relevant(testset, language))
        if queries < 50:
            small[testset].append(f"{queries} for {language}")
    return {
        ("queries", testset): f"{testset} has fewer than 50 queries with a relevant document ({_some(counts)}): "
        "differences there are mostly luck; test on more queries"
        for testset, counts in small.items()
    }


def _poor_lexicons(run: Finished) -> dict[tuple[str, str], str]:
    poor = defaultdict(list)
    for (lexicon, lang, testset, side), row in sorted(covered(run).items()):
        if row["words"] and 3 * row["covered"] < row["words"]:
            poor[lexicon, lang].append(f"{testset} {side} {row['covered'] / row['words']:.0%}")
    return {
        ("coverage", f"{lexicon} {lang}"): f"lexicon {lexicon} covers less than a third of the words for {lang} "
        f"({_some(shares)}): what is switched hardly meets these texts; give vectors or titles with more words, or "
        "merge lexicons"
        for (lexicon, lang), shares in poor.items()
    }


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
