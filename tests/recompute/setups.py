"""Means over the language pairs of each setup: setups.csv."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from switchrank.formats.tables import SETUPS
from tests.recompute.bias import pooled
from tests.recompute.design import setup
from tests.recompute.finished import SMALL, Finished, mean, over_seeds
from tests.recompute.significance import check_test, corrected

KEYS = ("testset", "setup", "metric")
Sample = tuple[dict[str, float], int]
"""A value for each query, and the number of seeds that it is a mean over."""
Pairs = dict[tuple[str, ...], dict[str, Sample]]
"""Samples by pair, then by system."""


def check_setups(run: Finished) -> None:
    """Means of means of pairs, tests by scipy over what each query adds to them, a family for each metric and test."""
    rows = run.table("setups.csv", SETUPS)
    grouped, expected = _grouped(run), {}
    for key, pairs in grouped.items():
        systems = [name for name in {name for own in pairs.values() for name in own} if _ranks_all(pairs, name)]
        baseline = run.design.baseline if run.design.baseline in systems else None
        for system in systems:
            tests = run.design.tests if baseline not in (None, system) else (None,)
            expected |= {(*key, system, test): (pairs, baseline if test else None) for test in tests}
    for place, row, (pairs, baseline) in run.matched("setups.csv", rows, (*KEYS, "system", "test"), expected):
        _check_row(run, place, row, pairs, baseline)
    _check_families(run, [row for row in rows if row["test"]])


def _ranks_all(pairs: Pairs, system: str) -> bool:
    return all(system in systems for systems in pairs.values())


def _grouped(run: Finished) -> dict[tuple[str, ...], Pairs]:
    """By test set, setup and metric asked for: the samples of its pairs."""
    found: dict[tuple[str, ...], Pairs] = defaultdict(lambda: defaultdict(dict))
    for (testset, query, document, metric), systems in run.cells.items():
        if metric in run.design.setups:
            found[testset, setup(query, document), metric][query, document] = systems
    seeds: dict[tuple[str, ...], list[dict[str, float]]] = defaultdict(list)
    for series, measured in pooled(run).items():
        for metric in measured.keys() & set(run.design.setups):
            seeds[series.testset, series.query_lang, series.doc_lang, metric, series.system].append(measured[metric])
    asked: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for (*cell, _), many in seeds.items():
        asked[tuple(cell)].update(*many)
    for (*cell, system), many in seeds.items():
        testset, query, document, metric = cell
        if any(one.keys() != asked[tuple(cell)] for one in many):
            continue  # who ranks nothing for a query is left out
        found[testset, setup(query, document), metric][query, document][system] = over_seeds(many), len(many)
    return found


def _added(pairs: Pairs, system: str) -> dict[str, float]:
    """What each query adds to the mean over pairs of means over queries, in queries."""
    found: dict[str, float] = defaultdict(float)
    for systems in pairs.values():
        values, _ = systems[system]
        for qid, value in values.items():
            found[qid] += value / len(values) / len(pairs)
    return {qid: value * len(found) for qid, value in found.items()}


def _check_row(run: Finished, place: str, row: dict[str, Any], pairs: Pairs, baseline: str | None) -> None:
    added = _added(pairs, row["system"])
    run.same(f"{place} value", row["value"], mean(mean(own[row["system"]][0].values()) for own in pairs.values()))
    run.same(f"{place} pairs", row["pairs"], len(pairs))
    run.same(f"{place} queries", row["queries"], len(added))
    run.same(f"{place} seeds", row["seeds"], min(own[row["system"]][1] for own in pairs.values()))
    run.same(f"{place} baseline", row["baseline"], baseline)
    if baseline is None:
        told = [row[name] for name in SETUPS if name not in (*KEYS, "system", "value", "pairs", "queries", "seeds")]
        run.same(f"{place} comparison", told, [None] * len(told))
        return
    theirs = _added(pairs, baseline)
    differences = np.array([added[qid] - theirs[qid] for qid in sorted(added)])
    differences[np.abs(differences) < SMALL] = 0
    run.same(f"{place} baseline_value", row["baseline_value"], mean(theirs.values()))
    run.same(f"{place} delta", row["delta"], mean(differences))
    check_test(run, place, row, differences)


def _check_families(run: Finished, rows: list[dict[str, Any]]) -> None:
    """All comparisons by one metric and test are a family, but for systems that are set apart."""
    families: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        name = " ".join(filter(None, [row["metric"], run.design.apart.get(row["system"], "")]))
        run.same(f"setups.csv {row['system']} {row['testset']} {row['setup']} family", row["family"], name)
        families[name, row["test"]].append(row)
    for members in families.values():
        for row, p_value in zip(members, corrected(members, run.design.correction), strict=True):
            place = f"setups.csv {' '.join(str(row[name]) for name in (*KEYS, 'system', 'test'))}"
            run.same(f"{place} family_size", row["family_size"], len(members))
            run.same(f"{place} p_corrected", row["p_corrected"], p_value)
            run.same(f"{place} significant", row["significant"], row["p_corrected"] <= run.design.alpha)
