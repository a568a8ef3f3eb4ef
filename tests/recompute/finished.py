"""A finished run as the checks see it: its files, its rankings scored again, and the mismatches found so far."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.formats.tables import read_table
from tests.recompute.design import Design
from tests.recompute.rankings import SCORERS, Judgements, Rankings, Scores

SMALL = 1e-12
"""Differences of means below this are rounding."""
SIGMAS = 5
"""Two estimates of the same probability by independent draws may differ by so many standard errors."""
CELL = ("testset", "query_lang", "doc_lang", "metric")


class Series(NamedTuple):
    """What one run file is of."""

    system: str
    testset: str
    query_lang: str
    doc_lang: str
    seed: int

    @property
    def file(self) -> str:
        """Its path below ``runs/``."""
        return f"{self.system}/{self.testset}/{self.query_lang}-{self.doc_lang}/seed{self.seed}.trec"


def trec(path: Path) -> dict[str, list[tuple[str, float]]]:
    """Documents and their scores by query, in the order of the rank column."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for qid, _, docid, _, score, *_ in sorted(lines, key=lambda fields: int(fields[3])):
        found[qid].append((docid, float(score)))
    return dict(found)


def ranked(path: Path) -> Rankings:
    """Documents by query, best first."""
    return {qid: [docid for docid, _ in lines] for qid, lines in trec(path).items()}


def mean(values: Iterable[float]) -> float:
    """The mean, rounded once."""
    every = list(values)
    return math.fsum(every) / len(every)


@dataclass(eq=False)
class Finished:
    """A finished run: its folder, what it was asked for, and the mismatches found so far."""

    folder: Path
    design: Design
    peer: str
    draws: int
    tolerance: float
    wrong: list[str] = field(default_factory=list)
    vocabularies: dict[str, frozenset[str]] = field(default_factory=dict)
    _judged: dict[Path, Judgements] = field(default_factory=dict)

    def table(self, name: str, schema: Any) -> list[dict[str, Any]]:
        """The rows of a table; one that cannot be read is a mismatch and has none."""
        try:
            return list(read_table(self.folder / "tables" / name, schema).iter_rows(named=True))
        except UserError as error:
            self.wrong.append(f"{name}: {error}")
            return []

    def same(self, place: str, found: Any, expected: Any, tolerance: float | None = None) -> None:
        """Note a mismatch unless both are equal, or as close as numbers get."""
        allowed = self.tolerance if tolerance is None else tolerance
        numbers = all(isinstance(value, int | float | np.number) for value in (found, expected))
        if not (abs(found - expected) <= allowed if numbers else found == expected):
            self.wrong.append(f"{place}: {found}, recomputed {expected}")

    def equal_sets(self, place: str, found: Iterable[Any], expected: Iterable[Any]) -> None:
        """Note what one side alone has, and what stands twice."""
        found, expected = list(found), set(expected)
        if len(found) > len(set(found)):
            self.wrong.append(f"{place}: a row stands twice")
        self.wrong.extend(f"{place}: no row {tuple(missing)}" for missing in sorted(expected - set(found), key=str))
        self.wrong.extend(
            f"{place}: row {tuple(extra)} comes from no run" for extra in sorted(set(found) - expected, key=str)
        )

    def check(self, name: str, schema: Any, keys: tuple[str, ...], expected: Mapping[Any, Mapping[str, Any]]) -> None:
        """Hold a table against the values of all its other columns by key."""
        for place, row, values in self.matched(name, self.table(name, schema), keys, expected):
            for column, value in values.items():
                self.same(f"{place} {column}", row[column], value)

    def matched(
        self, name: str, rows: list[dict[str, Any]], keys: tuple[str, ...], expected: Mapping[Any, Any]
    ) -> Iterator[tuple[str, dict[str, Any], Any]]:
        """Rows that are expected, with their place in words and what is expected; the others are noted."""
        self.equal_sets(name, [tuple(row[key] for key in keys) for row in rows], expected)
        for row in rows:
            key = tuple(row[name] for name in keys)
            if key in expected:
                yield f"{name} {' '.join(map(str, key))}", row, expected[key]

    def path(self, series: Series) -> Path:
        """The run file of a series."""
        return self.folder / "runs" / series.file

    @cached_property
    def series(self) -> list[Series]:
        """What there is a run file of, among the systems, references and test sets of the design."""
        found = []
        for path in sorted((self.folder / "runs").glob("*/*/*/seed*.trec")):
            system, testset, pair, name = path.relative_to(self.folder / "runs").parts
            query, _, document = pair.partition("-")
            if system in (*self.design.systems, *self.design.references) and testset in self.design.testsets:
                seed = int(name.removeprefix("seed").removesuffix(".trec"))
                found.append(Series(system, testset, query, document, seed))
        return found

    @cached_property
    def scores(self) -> dict[Series, Scores]:
        """Every metric of every query of every series."""
        return {series: self.scored(series) for series in self.series}

    def scored(self, series: Series) -> Scores:
        """Every metric of every judged query of a run file."""
        judged = self.relevant(series.testset, series.doc_lang)
        return SCORERS[self.peer](ranked(self.path(series)), judged, list(self.design.metrics))

    def relevant(self, testset: str, language: str) -> Judgements:
        """Relevant documents by query."""
        path = self.folder / "testsets" / testset / f"judgements-{language}.parquet"
        if path not in self._judged:
            judged: Judgements = defaultdict(dict)
            for qid, docid, relevance in pl.read_parquet(path).rows():
                if relevance > 0:
                    judged[qid][docid] = relevance
            self._judged[path] = dict(judged)
        return self._judged[path]

    @cached_property
    def cells(self) -> dict[tuple[str, ...], dict[str, tuple[dict[str, float], int]]]:
        """By test set, pair and metric, then by system: the mean over seeds of each query, and the number of seeds."""
        seeds: dict[tuple[str, ...], dict[str, list[dict[str, float]]]] = defaultdict(lambda: defaultdict(list))
        for series, metrics in self.scores.items():
            for metric, scores in metrics.items():
                seeds[series.testset, series.query_lang, series.doc_lang, metric][series.system].append(scores)
        return {
            cell: {system: (over_seeds(many), len(many)) for system, many in systems.items()}
            for cell, systems in seeds.items()
        }

    def check_tail(self, place: str, found: float | None, beyond: np.ndarray, at_most: np.ndarray, tails: Any) -> None:
        """An end of a percentile interval must have as many resamples beyond it as it should.

        This holds also where resamples take few values, or infinite ones.

        Args:
            place, found: of the end, for words.
            beyond, at_most: for each of our resamples, whether it lies outside the end, and outside or on it.
            tails: the share outside, and the number of resamples the interval was made of.
        """
        share, resamples = tails
        allowed = SIGMAS * math.sqrt(share * (1 - share) * (1 / resamples + 1 / len(beyond)))
        if not np.mean(beyond) - allowed <= share <= np.mean(at_most) + allowed:
            self.wrong.append(f"{place}: {found}, recomputed {np.mean(beyond):.4f} of resamples beyond it, not {share}")


def over_seeds(many: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each query."""
    return {qid: mean(one[qid] for one in many) for qid in many[0]}
