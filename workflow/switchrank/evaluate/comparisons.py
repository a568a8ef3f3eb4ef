"""Every system against the baseline, cell by cell: tests, corrections, intervals and effect sizes as table rows."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.seeds import generator
from switchrank.evaluate.effects import bootstrap_intervals, cohens_d
from switchrank.evaluate.families import SAME, Scope, check_scope, family
from switchrank.evaluate.groups import setup
from switchrank.evaluate.randomisation import fisher
from switchrank.evaluate.significance import (
    Correction,
    Difference,
    check_correction,
    corrected,
    mean,
    paired_differences,
    paired_t,
)

Test = Literal["t", "fisher"]
TESTS: tuple[str, ...] = get_args(Test)
Row = dict[str, Any]


class Cell(NamedTuple):
    """One language pair of a test set under one metric."""

    testset: str
    query_lang: str
    doc_lang: str
    metric: str


class Sample(NamedTuple):
    """Scores of one system in one cell, averaged over seeds: ``qids`` ascending, ``values`` beside them."""

    qids: pl.Series
    values: NDArray[np.float64]
    seeds: int


@dataclass(frozen=True)
class Settings:
    """What is compared and how.

    Attributes:
        baseline: system all others are tested against.
        apart: systems that are compared too, in families of their own, and the name of each one's group.
        same: runs that are the baseline's own (system, testset, query_lang, doc_lang), as zero-shot-tt=world/en-en:
            shown, never significant, and in no family of tests, which family_size 0 tells.
        tests: paired t-test over queries and randomisation test, both two-sided, on scores averaged over seeds; the
            first gives the marks.
        families: corrected together, for each test and metric: the comparisons of one test set and setup, all of a test
            set, or everything.
        correction: for multiple tests.
        alpha: level of significance; ci_low and ci_high are t intervals of that level whatever the test, EFFECTS holds
            bootstrap intervals of it; neither is corrected.
        permutations: sign patterns of the randomisation test; up to so many it is exact.
        resamples: of the bootstrap.
        seed: of permutations and resamples; every cell (test set, pair, metric) has draws of its own.
    """

    baseline: str = "zero-shot"
    apart: Mapping[str, str] = field(default_factory=lambda: {"random": "references", "bm25": "references"})
    same: frozenset[tuple[str, ...]] = frozenset()
    tests: Sequence[Test] = ("t",)
    families: Scope = "setup"
    correction: Correction = "holm"
    alpha: float = 0.05
    permutations: int = 100_000
    resamples: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = [test for test in self.tests if test not in TESTS]
        if unknown:
            raise UserError("evaluate", "tests", f"unknown value {unknown[0]}", f"write {', '.join(TESTS)}")
        if not self.tests or len(set(self.tests)) < len(self.tests):
            raise UserError("evaluate", "tests", "none given or one twice", f"write {', '.join(TESTS)}")
        check_scope(self.families)
        check_correction(self.correction)


def _sample(group: pl.DataFrame, place: str) -> Sample:
    wide = group.sort("seed", "qid").partition_by("seed", maintain_order=True)
    qids = wide[0]["qid"]
    for part in wide:
        if not part["qid"].equals(qids):
            raise UserError("evaluate", place, "seeds cover different queries", "evaluate all seeds again")
    values = np.mean(np.stack([part["value"].to_numpy() for part in wide]), axis=0)
    return Sample(qids, values, len(wide))


def samples(scores: pl.DataFrame, metrics: list[str]) -> dict[Cell, dict[str, Sample]]:
    """Seed averages of PER_QUERY ``scores`` by cell and system, for the metrics that are tested."""
    found: dict[Cell, dict[str, Sample]] = {}
    keys = ["testset", "query_lang", "doc_lang", "metric", "system"]
    for names, group in scores.filter(pl.col("metric").is_in(metrics)).group_by(keys, maintain_order=True):
        testset, query, document, metric, system = (str(name) for name in names)
        sample = _sample(group, f"{system} {testset} {query}-{document}")
        found.setdefault(Cell(testset, query, document, metric), {})[system] = sample
    return found


def _differences(cell: Cell, systems: dict[str, Sample], baseline: str) -> NDArray[np.float64]:
    """Paired differences to the baseline, float64 of shape ``(systems, queries)``."""
    base = systems[baseline]
    for system, sample in systems.items():
        if not sample.qids.equals(base.qids):
            place = f"{cell.testset} {cell.query_lang}-{cell.doc_lang}"
            problem = f"{system} and {baseline} cover different queries"
            raise UserError("evaluate", place, problem, "evaluate both with the same judgements")
    return np.stack([paired_differences(systems[name].values, base.values) for name in systems if name != baseline])


def _labels(cell: Cell, system: str, sample: Sample, baseline: str, delta: float) -> Row:
    return {
        **cell._asdict(),
        "system": system,
        "baseline": baseline,
        "setup": setup(cell.query_lang, cell.doc_lang),
        "delta": delta,
        "queries": len(sample.qids),
        "seeds": sample.seeds,
    }


def _p_values(
    cell: Cell, differences: NDArray[np.float64], by_t: list[Difference], settings: Settings
) -> dict[str, list[float]]:
    p_values = {"t": [result.p_value for result in by_t]}
    if "fisher" in settings.tests:
        random = generator(settings.seed, "fisher", *cell)
        p_values["fisher"] = fisher(differences, permutations=settings.permutations, random=random)
    return p_values


def _compare_cell(cell: Cell, systems: dict[str, Sample], settings: Settings) -> tuple[list[Row], list[Row]]:
    """SIGNIFICANCE rows, not yet corrected, and EFFECTS rows of one cell.

    Draws are keyed by cell, not by system: systems share them, and no pair or system changes the p of another.
    """
    base = systems[settings.baseline]
    differences = _differences(cell, systems, settings.baseline)
    by_t = [paired_t(row, alpha=settings.alpha) for row in differences]
    p_values = _p_values(cell, differences, by_t, settings)
    random = generator(settings.seed, "bootstrap", *cell)
    boot = bootstrap_intervals(differences, resamples=settings.resamples, alpha=settings.alpha, random=random)
    tested, effects = [], []
    for number, system in enumerate(name for name in systems if name != settings.baseline):
        sample, result = systems[system], by_t[number]
        labels = _labels(cell, system, sample, settings.baseline, result.delta)
        interval = {"ci_low": result.low, "ci_high": result.high}
        values = {"value": mean(sample.values), "baseline_value": mean(base.values)}
        for test in settings.tests:
            tested.append(labels | values | interval | {"test": test, "p_value": p_values[test][number]})
        low, high = boot[number]
        effects.append(labels | {"boot_low": low, "boot_high": high, "effect_size": cohens_d(differences[number])})
    return tested, effects


def _correct(rows: list[Row], settings: Settings) -> None:
    """Add correction and family to SIGNIFICANCE rows: families by name, each test corrected for itself.

    A run beside itself is no hypothesis: it is in no family, and makes no other test harder.
    """
    families: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if _run(row) in settings.same:
            row |= {"p_corrected": 1.0, "significant": False, "correction": settings.correction}
            row |= {"family": SAME, "family_size": 0}
            continue
        row["family"] = family(settings.families, row, apart=settings.apart.get(row["system"], ""))
        families.setdefault((row["family"], row["test"]), []).append(row)
    for members in families.values():
        given = [row["p_value"] for row in members]
        p_values, significant = corrected(given, correction=settings.correction, alpha=settings.alpha)
        for row, p_value, mark in zip(members, p_values, significant, strict=True):
            row |= {"p_corrected": p_value, "significant": mark, "correction": settings.correction}
            row["family_size"] = len(members)


def _run(row: Row) -> tuple[str, ...]:
    return (row["system"], row["testset"], row["query_lang"], row["doc_lang"])


def compare(cells: dict[Cell, dict[str, Sample]], settings: Settings) -> tuple[list[Row], list[Row]]:
    """SIGNIFICANCE rows (one per system, cell and test) and EFFECTS rows (one per system and cell).

    Cells that the baseline does not have are counted in one line on stderr.

    Raises:
        UserError: systems that cover different queries, a run beside itself that is not there, too few permutations or
            resamples.
    """
    significance: list[Row] = []
    effects: list[Row] = []
    alone = 0
    for cell, systems in cells.items():
        if settings.baseline not in systems:
            alone += 1
        elif len(systems) > 1:
            tested, sizes = _compare_cell(cell, systems, settings)
            significance += tested
            effects += sizes
    if alone:
        print(f"significance: {alone} pairs without a run of {settings.baseline} are not tested", file=sys.stderr)
    unknown = sorted(settings.same - {_run(row) for row in significance})
    if unknown:
        problem = f"{' '.join(unknown[0])} is not compared with {settings.baseline}"
        raise UserError("evaluate", "same", problem, "name a system, test set and language pair of the scores")
    _correct(significance, settings)
    return significance, effects
