"""What must be known before results are believed; shown by the report, ``evaluate show`` and ``status``.

Four things make a table look like a result when it is none: a model that ranks no better than chance, a test set of a
few queries, a lexicon that lacks most words of the texts it is used for, and one that was made by the model under test.
A fifth keeps a result from being used: weights under a licence that forbids it, or that nobody knows. Chance is
computed from the candidates (TESTSETS), not taken from the reference ranking ``random``: that is one draw, and a run
may leave it out.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import polars as pl

from switchrank.formats.tables import COVERAGE, PER_QUERY, TESTSETS, WARNINGS, read_table, scan_table, write_table
from switchrank.models.origin import caution, inherited

FEW_QUERIES = 50
LEAST_COVERAGE = 1 / 3
METRIC = "mrr@10"
"""The metric that TESTSETS has the chance of."""
_SURE = 1.645
"""Standard errors above chance below which a mean is not told from it: one-sided 5% of the normal distribution."""
_NAMED = 5
"""So many language pairs or languages are named, the others counted."""

Found = tuple[str, str, str]
"""A row of WARNINGS."""


class Origin(TypedDict):
    """A lexicon, the encoder that it was induced from, and the systems that start from that."""

    lexicon: str
    model: str
    systems: list[str]


def warnings_table(
    *,
    per_query: str | Path,
    testsets: str | Path,
    out: str | Path,
    coverage: str | Path | None = None,
    references: Sequence[str] = ("random", "bm25"),
    models: Mapping[str, str | Path] | None = None,
    origins: Sequence[Origin] = (),
) -> None:
    """Write WARNINGS: one row for each system and test set at chance, small test set, poor lexicon, lexicon that was
    induced from what systems start from, doubtful licence.

    A model is at chance on a language pair if its MRR@10, seeds averaged, is less than 1.645 standard errors over
    queries above that of a random order of the candidates.

    Args:
        per_query: PER_QUERY table of the run (per_query.parquet).
        testsets: TESTSETS table (testsets.csv).
        out: table to write (.csv or .parquet); without rows where there is nothing to warn of.
        coverage: COVERAGE table (coverage.csv), where words were switched.
        references: systems that are no models.
        models: the folder of each system's model, or of the start it comes from, whose record tells the licence.
        origins: lexicons of encoders that are also the start of systems.

    Raises:
        UserError: a table or record is missing or unreadable.
    """
    tested = read_table(testsets, TESTSETS)
    found = [*_at_chance(per_query, tested, references), *_few_queries(tested)]
    if coverage is not None:
        found += _poor_lexicons(read_table(coverage, COVERAGE))
    found += map(_same_origin, origins)
    found += _licences(models or {})
    write_table(pl.DataFrame(found, schema=WARNINGS, orient="row"), out, WARNINGS)


def _at_chance(per_query: str | Path, tested: pl.DataFrame, references: Sequence[str]) -> Iterator[Found]:
    pair = ["system", "testset", "query_lang", "doc_lang"]
    value = pl.col("value")
    scores = scan_table(per_query, PER_QUERY).filter(~pl.col("system").is_in(list(references)), metric=METRIC)
    seeds = scores.group_by(*pair, "qid").agg(value.mean())
    means = seeds.group_by(pair).agg(value.mean(), error=value.std() / pl.len().sqrt()).sort(pair)
    known = means.collect(engine="streaming").join(tested.select("testset", "doc_lang", "chance"), on=pair[1::2])
    low = value - _SURE * pl.col("error").fill_null(math.inf) <= pl.col("chance")
    for (system, testset), pairs in known.sort(pair).group_by("system", "testset", maintain_order=True):
        poor = pairs.filter(low)
        if len(poor):
            names = _listed([f"{query}-{document}" for query, document in poor.select(pair[2:]).iter_rows()])
            where = f"{len(poor)} of {len(pairs)} language pairs ({names})"
            problem = f"{system} ranks {testset} no better than chance in {where}"
            todo = "believe no comparison with it there; look at its training loss and its data, or train it longer"
            yield "chance", f"{system} on {testset}", f"{problem}: {todo}"


def _few_queries(tested: pl.DataFrame) -> Iterator[Found]:
    small = tested.filter(pl.col("queries") < FEW_QUERIES).sort("testset", "doc_lang")
    for (testset,), parts in small.group_by("testset", maintain_order=True):
        counts = _listed([f"{row['queries']} for {row['doc_lang']}" for row in parts.iter_rows(named=True)])
        problem = f"{testset} has fewer than {FEW_QUERIES} queries with a relevant document ({counts})"
        yield "queries", str(testset), f"{problem}: differences there are mostly luck; test on more queries"


def _poor_lexicons(coverage: pl.DataFrame) -> Iterator[Found]:
    poor = coverage.filter(pl.col("share") < LEAST_COVERAGE).sort("lexicon", "lang", "testset", "side")
    for (lexicon, lang), rows in poor.group_by("lexicon", "lang", maintain_order=True):
        sides = _listed([f"{row['testset']} {row['side']} {row['share']:.0%}" for row in rows.iter_rows(named=True)])
        problem = f"lexicon {lexicon} covers less than a third of the words for {lang} ({sides})"
        todo = "what is switched hardly meets these texts; give vectors or titles with more words, or merge lexicons"
        yield "coverage", f"{lexicon} {lang}", f"{problem}: {todo}"


def _licences(models: Mapping[str, str | Path]) -> Iterator[Found]:
    systems: dict[tuple[str, str], list[str]] = {}
    for system, folder in models.items():
        told = inherited(Path(folder))
        if caution(told.get("licence", "")):
            systems.setdefault((told["model"], told["licence"]), []).append(system)
    for (model, licence), names in sorted(systems.items()):
        if caution(licence) == "unknown":
            problem = f"the licence of {model} (in {_listed(names)}) is not known ({licence})"
            todo = "ask its makers before you use or share these models"
        else:
            problem = f"{model} (in {_listed(names)}) is under {licence}, which forbids commercial use"
            todo = "keep to it with these models too, or start from another one"
        yield "licence", model, f"{problem}: {todo}"


def _same_origin(origin: Origin) -> Found:
    lexicon, model, systems = origin["lexicon"], origin["model"], _listed(origin["systems"])
    problem = f"lexicon {lexicon} was induced from {model}, which is also the start of {systems}"
    todo = "what switching teaches there the start may know already; compare a lexicon of another source"
    return "origin", lexicon, f"{problem}: {todo}"


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
