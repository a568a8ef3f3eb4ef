"""Every system against the baseline: significance.csv and effects.csv."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats

from switchrank.formats.tables import EFFECTS, SIGNIFICANCE
from tests.recompute.design import setup
from tests.recompute.finished import CELL, SIGMAS, SMALL, Finished, mean

ROUNDED = 12
"""Decimals of a permuted mean: scipy's allowance for ties is a share of the observed mean, which may be near 0."""
Row = dict[str, Any]
Cell = tuple[str, ...]


def check_significance(run: Finished) -> None:
    """Values, differences and intervals, p by scipy, families as declared, corrections by hand."""
    design = run.design
    rows = run.table("significance.csv", SIGNIFICANCE)
    expected = {(*key, test): found for key, found in _comparisons(run).items() for test in design.tests}
    for place, row, differences in run.matched("significance.csv", rows, (*CELL, "system", "test"), expected):
        _check_labels(run, place, row, differences)
        systems = run.cells[tuple(row[name] for name in CELL)]
        run.same(f"{place} value", row["value"], mean(systems[row["system"]][0].values()))
        run.same(f"{place} baseline_value", row["baseline_value"], mean(systems[design.baseline][0].values()))
        check_test(run, place, row, differences)
    _check_corrections(run, rows)


def check_test(run: Finished, place: str, row: Row, differences: np.ndarray) -> None:
    """Interval and p of the differences of queries, and how p is corrected."""
    run.same(f"{place} correction", row["correction"], run.design.correction)
    p_value, low, high = t_test(differences, run.design.alpha)
    run.same(f"{place} ci_low", row["ci_low"], low)
    run.same(f"{place} ci_high", row["ci_high"], high)
    allowed = run.tolerance
    if row["test"] == "fisher":
        p_value, allowed = randomisation(run, differences)
    run.same(f"{place} p_value", row["p_value"], p_value, allowed)


def check_effects(run: Finished) -> None:
    """Cohen's d by numpy, bootstrap intervals by scipy."""
    rows = run.table("effects.csv", EFFECTS)
    for place, row, differences in run.matched("effects.csv", rows, (*CELL, "system"), _comparisons(run)):
        _check_labels(run, place, row, differences)
        same = np.ptp(differences) < SMALL
        spread = np.std(differences, ddof=1) if len(differences) > 1 else 0.0
        effect = 0.0 if not differences.any() else None if same else differences.mean() / spread
        run.same(f"{place} effect_size", row["effect_size"], effect)
        if len(differences) == 1 or same:
            end = None if len(differences) == 1 else differences[0]
            run.same(f"{place} boot_low", row["boot_low"], end)
            run.same(f"{place} boot_high", row["boot_high"], end)
        else:
            _check_bootstrap(run, place, row, differences)


def _comparisons(run: Finished) -> dict[Cell, np.ndarray]:
    """By cell and system: its paired differences to the baseline over queries, seeds averaged."""
    baseline, found = run.design.baseline, {}
    for cell, systems in run.cells.items():
        if cell[3] in run.design.tested and baseline in systems:
            theirs = systems[baseline][0]
            for system in systems.keys() - {baseline}:
                ours = systems[system][0]
                differences = np.array([ours[qid] - theirs[qid] for qid in sorted(theirs)])
                differences[np.abs(differences) < SMALL] = 0
                found[*cell, system] = differences
    return found


def _check_labels(run: Finished, place: str, row: Row, differences: np.ndarray) -> None:
    cell = tuple(row[name] for name in CELL)
    run.same(f"{place} setup", row["setup"], setup(*cell[1:3]))
    run.same(f"{place} baseline", row["baseline"], run.design.baseline)
    run.same(f"{place} delta", row["delta"], mean(differences))
    run.same(f"{place} queries", row["queries"], len(differences))
    run.same(f"{place} seeds", row["seeds"], run.cells[cell][row["system"]][1])


def t_test(differences: np.ndarray, alpha: float) -> tuple[float, float | None, float | None]:
    """scipy's p and interval of paired differences."""
    if len(differences) == 1:
        return 1.0, None, None
    if np.ptp(differences) < SMALL:
        return float(not differences.any()), differences[0], differences[0]
    result = stats.ttest_rel(differences, np.zeros_like(differences))
    interval = result.confidence_interval(1 - alpha)
    return result.pvalue, interval.low, interval.high


def randomisation(run: Finished, differences: np.ndarray) -> tuple[float, float]:
    """scipy's p, and how far another estimate may be from it; queries without a difference have no sign to flip."""
    permutations, draws = run.design.permutations, run.draws
    flipped = differences[differences != 0]
    if len(flipped) < 2:
        return 1.0, run.tolerance
    exact = 2 ** len(flipped) <= permutations
    p_value = stats.permutation_test(
        (flipped,),
        lambda x, axis: np.round(np.mean(x, axis=axis), ROUNDED),
        permutation_type="samples",
        vectorized=True,
        n_resamples=permutations if exact else draws,
        batch=1000,
        rng=np.random.default_rng(0),
    ).pvalue
    theirs = p_value * (2 - p_value) / draws  # scipy doubles the smaller of its two one-sided p
    spread = math.sqrt(p_value * (1 - p_value) / permutations + theirs)
    return p_value, run.tolerance + (0 if exact else SIGMAS * spread + 2 / min(permutations, draws))


def _check_corrections(run: Finished, rows: list[Row]) -> None:
    """Families as declared, one name each; Holm and Bonferroni by hand within each and test. Copies are in none."""
    scope, apart = run.design.families, run.design.apart
    columns = {"setup": ("testset", "setup", "metric"), "testset": ("testset", "metric"), "run": ("metric",)}[scope]
    families: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if run.design.same(row):
            place = f"significance.csv {' '.join(str(row[name]) for name in (*CELL, 'system', 'test'))}"
            for name, value in {"family": "same run", "family_size": 0, "p_corrected": 1, "significant": False}.items():
                run.same(f"{place} {name}", row[name], value)
            continue
        families[*(row[column] for column in columns), apart.get(row["system"], ""), row["test"]].append(row)
    names = defaultdict(set)
    for key, members in families.items():
        for row in members:
            names[row["family"]].add(key[:-1])
        if len({row["family"] for row in members}) > 1 or len(names[members[0]["family"]]) > 1:
            run.wrong.append(f"significance.csv family {members[0]['family']}: not the {scope} family {key}")
        for row, p_value in zip(members, corrected(members, run.design.correction), strict=True):
            place = f"significance.csv {' '.join(str(row[name]) for name in (*CELL, 'system', 'test'))}"
            run.same(f"{place} family_size", row["family_size"], len(members))
            run.same(f"{place} p_corrected", row["p_corrected"], p_value)
            run.same(f"{place} significant", row["significant"], row["p_corrected"] <= run.design.alpha)


def corrected(members: list[Row], correction: str) -> list[float]:
    """The p values of a family, corrected by hand."""
    p_values, size = [row["p_value"] for row in members], len(members)
    if correction == "none":
        return p_values
    if correction == "bonferroni":
        return [min(1.0, p * size) for p in p_values]
    adjusted, largest = [0.0] * size, 0.0
    for place, number in enumerate(sorted(range(size), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[number] * (size - place)))
        adjusted[number] = largest
    return adjusted


def _check_bootstrap(run: Finished, place: str, row: Mapping[str, Any], differences: np.ndarray) -> None:
    """Scipy's resampled means must lie outside the ends as often as they should."""
    result = stats.bootstrap(
        (differences,), np.mean, n_resamples=run.draws, batch=1000, method="percentile", rng=np.random.default_rng(0)
    )
    means, tails = result.bootstrap_distribution, (run.design.alpha / 2, run.design.resamples)
    for end, outside in (("boot_low", means - row["boot_low"]), ("boot_high", row["boot_high"] - means)):
        run.check_tail(f"{place} {end}", row[end], outside < -SMALL, outside <= SMALL, tails)
