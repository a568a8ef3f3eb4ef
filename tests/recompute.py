"""Every number of a finished run's tables worked out again from its TREC runs and judgements, by other means.

Rankings are scored by ir_measures where it is installed, else by the textbook definitions below (:data:`PEER` says
which); tests are scipy's, corrections plain Python. Nothing of the evaluate room is used: only table schemas are.
"""

from __future__ import annotations

import importlib.util
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from switchrank.formats.tables import EFFECTS, METRICS, PER_QUERY, SIGNIFICANCE, read_table

Rankings = dict[str, list[str]]
Judgements = dict[str, dict[str, int]]
Scores = dict[str, dict[str, float]]
"""Metric, query, value."""
Scorer = Callable[[Rankings, Judgements, list[str]], Scores]
Row = dict[str, Any]
SERIES = ("system", "testset", "query_lang", "doc_lang", "seed")
CELL = ("testset", "query_lang", "doc_lang", "metric")
SMALL = 1e-12
"""Differences of seed means below this are rounding."""
SIGMAS = 5
"""Two estimates of the same probability by independent draws may differ by so many standard errors."""


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


@dataclass
class _Run:
    """A finished run: its folder and tables, scores worked out again per series, and the mismatches found so far."""

    folder: Path
    alpha: float
    tolerance: float
    scorer: Scorer
    wrong: list[str] = field(default_factory=list)
    scores: dict[tuple[Any, ...], Scores] = field(default_factory=dict)

    def table(self, name: str, schema: Any) -> list[Row]:
        return list(read_table(self.folder / "tables" / name, schema).iter_rows(named=True))

    def same(self, place: str, found: float | None, expected: float | None, tolerance: float | None = None) -> None:
        """Note a mismatch unless both are None or as close as numbers get."""
        allowed = self.tolerance if tolerance is None else tolerance
        agree = found is expected if found is None or expected is None else abs(found - expected) <= allowed
        if not agree:
            self.wrong.append(f"{place}: {found}, recomputed {expected}")

    def equal_sets(self, place: str, found: Iterable[Any], expected: Iterable[Any]) -> None:
        found, expected = list(found), set(expected)
        if len(found) > len(set(found)):
            self.wrong.append(f"{place}: a row stands twice")
        self.wrong.extend(f"{place}: no row {missing}" for missing in sorted(expected - set(found), key=str))
        self.wrong.extend(f"{place}: row {extra} comes from no run" for extra in sorted(set(found) - expected, key=str))


def recompute(
    folder: Path,
    *,
    peer: str = PEER,
    families: str = "setup",
    apart: Mapping[str, str] = {"random": "references", "bm25": "references"},
    alpha: float = 0.05,
    permutations: int = 100_000,
    resamples: int = 10_000,
    draws: int = 20_000,
    tolerance: float = 1e-9,
    leave_out: tuple[str, ...] = (),
) -> list[str]:
    """Mismatches between the tables of ``results/<run>/`` and what follows from its runs and judgements; [] if none.

    Args:
        folder: holds ``tables/``, ``runs/<system>/<testset>/<query>-<document>/seed<k>.trec`` and
            ``testsets/<testset>/judgements-<lang>.parquet``.
        peer: key of :data:`SCORERS`.
        families, apart, alpha, permutations, resamples: as the run was made with.
        draws: permutations and resamples for what was drawn; such values agree within ``SIGMAS`` standard errors of
            both estimates.
        tolerance: absolute, for everything that has an exact value.
        leave_out: names under ``runs/`` that are no systems of these tables, such as the rows of an ablation.
    """
    run = _Run(folder, alpha, tolerance, SCORERS[peer])
    _check_metrics(run, leave_out)
    _check_per_query(run)
    tested = run.table("significance.csv", SIGNIFICANCE)
    cells = _differences(run)
    _check_tests(run, tested, cells, permutations, draws)
    _check_corrections(run, tested, families, apart)
    _check_effects(run, tested, cells, resamples, draws)
    return run.wrong


def _trec(path: Path) -> Rankings:
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    rankings: Rankings = defaultdict(list)
    for qid, _, docid, *_ in sorted(lines, key=lambda fields: int(fields[3])):
        rankings[qid].append(docid)
    return dict(rankings)


def _judged(path: Path) -> Judgements:
    judged: Judgements = defaultdict(dict)
    for qid, docid, relevance in pl.read_parquet(path).rows():
        if relevance > 0:
            judged[qid][docid] = relevance
    return dict(judged)


def _check_metrics(run: _Run, leave_out: tuple[str, ...]) -> None:
    """Score every run file, and hold each cell of metrics.csv against the mean."""
    rows = run.table("metrics.csv", METRICS)
    metrics = sorted({row["metric"] for row in rows})
    for path in sorted((run.folder / "runs").glob("*/*/*/seed*.trec")):
        system, testset, pair, name = path.relative_to(run.folder / "runs").parts
        if system in leave_out:
            continue
        query, document = pair.split("-")
        judged = _judged(run.folder / "testsets" / testset / f"judgements-{document}.parquet")
        key = (system, testset, query, document, int(name.removeprefix("seed").removesuffix(".trec")))
        run.scores[key] = run.scorer(_trec(path), judged, metrics)
    expected = {(*key, metric) for key in run.scores for metric in metrics}
    run.equal_sets("metrics.csv", [tuple(row[name] for name in (*SERIES, "metric")) for row in rows], expected)
    for row in rows:
        key = tuple(row[name] for name in SERIES)
        if key in run.scores:
            values = run.scores[key][row["metric"]].values()
            place = f"metrics.csv {' '.join(map(str, key))} {row['metric']}"
            run.same(f"{place} value", row["value"], math.fsum(values) / len(values))
            run.same(f"{place} queries", row["queries"], len(values))


def _check_per_query(run: _Run) -> None:
    """Hold every row of per_query.parquet against the score of its query."""
    found = read_table(run.folder / "tables" / "per_query.parquet", PER_QUERY)
    rows = (
        (*key, qid, metric, value)
        for key, metrics in run.scores.items()
        for metric, scores in metrics.items()
        for qid, value in scores.items()
    )
    expected = pl.DataFrame(list(rows), schema=pl.Schema(PER_QUERY), orient="row")
    keys = [name for name in PER_QUERY if name != "value"]
    both = found.join(expected, on=keys, how="full", suffix="_again", coalesce=True)
    off = (pl.col("value") - pl.col("value_again")).abs() > run.tolerance
    for row in both.filter(off.fill_null(True)).head(20).iter_rows(named=True):
        place = " ".join(str(row[name]) for name in keys)
        run.wrong.append(f"per_query.parquet {place}: {row['value']}, recomputed {row['value_again']}")


def _differences(run: _Run) -> dict[tuple[str, ...], dict[str, tuple[dict[str, float], int]]]:
    """By cell and system: the mean over seeds of each query, and the number of seeds."""
    seeds: dict[tuple[str, ...], dict[str, list[dict[str, float]]]] = defaultdict(lambda: defaultdict(list))
    for (system, testset, query, document, _), metrics in run.scores.items():
        for metric, scores in metrics.items():
            seeds[testset, query, document, metric][system].append(scores)
    return {
        cell: {
            system: ({qid: math.fsum(one[qid] for one in many) / len(many) for qid in many[0]}, len(many))
            for system, many in systems.items()
        }
        for cell, systems in seeds.items()
    }


def _paired(cell: dict[str, tuple[dict[str, float], int]], system: str, baseline: str) -> np.ndarray:
    ours, theirs = cell[system][0], cell[baseline][0]
    differences = np.array([ours[qid] - theirs[qid] for qid in sorted(theirs)])
    differences[np.abs(differences) < SMALL] = 0
    return differences


def _comparisons(run: _Run, name: str, rows: list[Row], cells: Any, extra: tuple[str, ...]) -> Iterator[Any]:
    """Rows that can be recomputed with their place and differences; rows too many or too few are noted."""
    if not rows:
        return
    baseline = rows[0]["baseline"]
    metrics = {row["metric"] for row in rows}
    expected = {
        (*cell, system)
        for cell, systems in cells.items()
        for system in systems
        if cell[3] in metrics and baseline in systems and system != baseline
    }
    columns = (*CELL, "system", *extra)
    others = {tuple(row[column] for column in extra) for row in rows}
    run.equal_sets(name, [tuple(row[c] for c in columns) for row in rows], {(*e, *o) for e in expected for o in others})
    for row in rows:
        cell = tuple(row[column] for column in CELL)
        if (*cell, row["system"]) in expected:
            place = f"{name} {' '.join(str(row[column]) for column in columns)}"
            differences = _paired(cells[cell], row["system"], baseline)
            run.same(f"{place} delta", row["delta"], math.fsum(differences) / len(differences))
            run.same(f"{place} queries", row["queries"], len(differences))
            run.same(f"{place} seeds", row["seeds"], cells[cell][row["system"]][1])
            yield place, row, differences


def _check_tests(run: _Run, rows: list[Row], cells: Any, permutations: int, draws: int) -> None:
    for place, row, differences in _comparisons(run, "significance.csv", rows, cells, ("test",)):
        systems = cells[tuple(row[column] for column in CELL)]
        for column, system in (("value", row["system"]), ("baseline_value", row["baseline"])):
            scores = systems[system][0].values()
            run.same(f"{place} {column}", row[column], math.fsum(scores) / len(scores))
        p_value, low, high = _t_test(differences, run.alpha)
        run.same(f"{place} ci_low", row["ci_low"], low)
        run.same(f"{place} ci_high", row["ci_high"], high)
        allowed = run.tolerance
        if row["test"] == "fisher":
            p_value, exact = _randomisation(differences, permutations, draws)
            spread = math.sqrt(p_value * (1 - p_value) * (1 / permutations + 1 / draws))
            allowed = run.tolerance if exact else SIGMAS * spread + 2 / min(permutations, draws)
        run.same(f"{place} p_value", row["p_value"], p_value, allowed)


def _t_test(differences: np.ndarray, alpha: float) -> tuple[float, float | None, float | None]:
    if len(differences) == 1:
        return 1.0, None, None
    if np.ptp(differences) < SMALL:
        return float(not differences.any()), differences[0], differences[0]
    result = stats.ttest_rel(differences, np.zeros_like(differences))
    interval = result.confidence_interval(1 - alpha)
    return result.pvalue, interval.low, interval.high


def _randomisation(differences: np.ndarray, permutations: int, draws: int) -> tuple[float, bool]:
    """scipy's p, and whether it is exact; queries without a difference have no sign to flip."""
    flipped = differences[differences != 0]
    if not len(flipped):
        return 1.0, True
    exact = 2 ** len(flipped) <= permutations
    if len(flipped) == 1:
        return 1.0, True
    result = stats.permutation_test(
        (flipped,),
        lambda x, axis: np.mean(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=permutations if exact else draws,
        batch=1000,
        rng=np.random.default_rng(0),
    )
    return result.pvalue, exact


def _check_corrections(run: _Run, rows: list[Row], scope: str, apart: Mapping[str, str]) -> None:
    """Families as declared, one name each; Holm and Bonferroni by hand within each and test."""
    columns = {"setup": ("testset", "setup", "metric"), "testset": ("testset", "metric"), "run": ("metric",)}[scope]
    families: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        families[*(row[column] for column in columns), apart.get(row["system"], ""), row["test"]].append(row)
    names = defaultdict(set)
    for key, members in families.items():
        for row in members:
            names[row["family"]].add(key[:-1])
        if len({row["family"] for row in members}) > 1 or len(names[members[0]["family"]]) > 1:
            run.wrong.append(f"significance.csv family {members[0]['family']}: not the {scope} family {key}")
        for row, p_value in zip(members, _corrected(members), strict=True):
            place = f"significance.csv {' '.join(str(row[name]) for name in (*CELL, 'system', 'test'))}"
            run.same(f"{place} family_size", row["family_size"], len(members))
            run.same(f"{place} p_corrected", row["p_corrected"], p_value)
            if row["significant"] != (row["p_corrected"] <= run.alpha):
                run.wrong.append(f"{place} significant: {row['significant']} at p {row['p_corrected']}")


def _corrected(members: list[Row]) -> list[float]:
    p_values, size = [row["p_value"] for row in members], len(members)
    if members[0]["correction"] == "none":
        return p_values
    if members[0]["correction"] == "bonferroni":
        return [min(1.0, p * size) for p in p_values]
    adjusted, largest = [0.0] * size, 0.0
    for place, number in enumerate(sorted(range(size), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[number] * (size - place)))
        adjusted[number] = largest
    return adjusted


def _check_effects(run: _Run, tested: list[Row], cells: Any, resamples: int, draws: int) -> None:
    rows = run.table("effects.csv", EFFECTS)
    columns = (*CELL, "system", "baseline")
    run.equal_sets(
        "effects.csv", [tuple(r[c] for c in columns) for r in rows], [tuple(r[c] for c in columns) for r in tested]
    )
    for place, row, differences in _comparisons(run, "effects.csv", rows, cells, ()):
        spread = np.std(differences, ddof=1) if len(differences) > 1 else 0.0
        same = np.ptp(differences) < SMALL
        effect = 0.0 if not differences.any() else None if same else differences.mean() / spread
        run.same(f"{place} effect_size", row["effect_size"], effect)
        if len(differences) == 1 or same:
            end = None if len(differences) == 1 else differences[0]
            run.same(f"{place} boot_low", row["boot_low"], end)
            run.same(f"{place} boot_high", row["boot_high"], end)
        else:
            _check_bootstrap(run, place, row, differences, resamples, draws)


def _check_bootstrap(run: _Run, place: str, row: Row, differences: np.ndarray, resamples: int, draws: int) -> None:
    """Scipy's resampled means must lie outside the ends as often as they should (also where means take few values)."""
    result = stats.bootstrap(
        (differences,), np.mean, n_resamples=draws, batch=1000, method="percentile", rng=np.random.default_rng(0)
    )
    means = result.bootstrap_distribution
    share = run.alpha / 2
    allowed = SIGMAS * math.sqrt(share * (1 - share) * (1 / resamples + 1 / draws))
    for end, outside in (("boot_low", means - row["boot_low"]), ("boot_high", row["boot_high"] - means)):
        beyond, at_most = np.mean(outside < -SMALL), np.mean(outside <= SMALL)
        if not beyond - allowed <= share <= at_most + allowed:
            run.wrong.append(f"{place} {end}: {row[end]}, with {beyond:.4f} of resampled means beyond, not {share}")
