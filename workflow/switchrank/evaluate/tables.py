"""The tables of a run: metrics per system, pair and seed; per-query scores; every system against the baseline, cell by
cell: tests, corrections, intervals and effect sizes."""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.languages import Languages, setup
from switchrank.core.seeds import generator
from switchrank.evaluate import significance
from switchrank.evaluate.significance import CORRECTIONS, SAME, SCOPES, Correction, Floats, Scope, mean
from switchrank.formats.tables import EFFECTS, METRICS, PER_QUERY, SIGNIFICANCE, read_table, write_table

Test = Literal["t", "fisher"]
TESTS: tuple[str, ...] = get_args(Test)
Row = dict[str, Any]


class Cell(NamedTuple):
    """One language pair of a test set under one metric."""

    testset: str
    query_lang: str
    doc_lang: str
    metric: str

    @property
    def pair(self) -> str:
        return f"{self.testset} {self.query_lang}-{self.doc_lang}"


class Sample(NamedTuple):
    """Scores of one system in one cell, averaged over seeds: ``qids`` ascending, ``values`` beside them."""

    qids: pl.Series
    values: Floats
    seeds: int


@dataclass(frozen=True)
class Settings:
    """What is compared and how.

    Attributes:
        baseline: system all others are tested against.
        apart: systems that are compared too, in families of their own, and the name of each one's group.
        same: runs that are the baseline's own (system, testset, query_lang, doc_lang), as zero-shot-tt=world/en-en:
            shown, never significant, and in no family of tests (family_size 0).
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
        single = [("families", self.families, tuple(SCOPES)), ("correction", self.correction, CORRECTIONS)]
        for name, value, known in [*(("tests", test, TESTS) for test in self.tests), *single]:
            if value not in known:
                raise UserError("evaluate", name, f"unknown value {value}", f"write {', '.join(known)}")
        if not self.tests or len(set(self.tests)) < len(self.tests):
            raise UserError("evaluate", "tests", "none given or one twice", f"write {', '.join(TESTS)}")


def samples(scores: pl.DataFrame, metrics: list[str]) -> dict[Cell, dict[str, Sample]]:
    """Seed averages of PER_QUERY ``scores`` by cell and system, for the metrics that are tested."""
    found: dict[Cell, dict[str, Sample]] = {}
    keys = [*Cell._fields, "system"]
    for names, group in scores.filter(pl.col("metric").is_in(metrics)).group_by(keys, maintain_order=True):
        cell, system = Cell(*map(str, names[:-1])), str(names[-1])
        wide = group.sort("seed", "qid").partition_by("seed", maintain_order=True)
        qids = wide[0]["qid"]
        if not all(part["qid"].equals(qids) for part in wide):
            place = f"{system} {cell.pair}"
            raise UserError("evaluate", place, "seeds cover different queries", "evaluate all seeds again")
        values = np.mean(np.stack([part["value"].to_numpy() for part in wide]), axis=0)
        found.setdefault(cell, {})[system] = Sample(qids, values, len(wide))
    return found


def compare_systems(
    systems: dict[str, Sample], settings: Settings, *, labels: Row, place: str, draws: Sequence[str]
) -> tuple[list[Row], list[Row]]:
    """SIGNIFICANCE rows, not yet corrected, and EFFECTS rows of every system but the baseline.

    Args:
        systems: samples of the same queries, the baseline's among them.
        settings: what is compared and how.
        labels: columns that say what is compared, for every row.
        place: the same for errors.
        draws: keys what is drawn by chance, not by system: systems share it, and no system changes the p of another.
    """
    base = systems[settings.baseline]
    others = {name: sample for name, sample in systems.items() if name != settings.baseline}
    for name, sample in others.items():
        if not sample.qids.equals(base.qids):
            problem = f"{name} and {settings.baseline} cover different queries"
            raise UserError("evaluate", place, problem, "evaluate both with the same judgements")
    rows = [significance.paired_differences(sample.values, base.values) for sample in others.values()]
    differences = np.stack(rows)
    by_t = [significance.paired_t(row, alpha=settings.alpha) for row in differences]
    p_values = {"t": [result.p_value for result in by_t]}
    if "fisher" in settings.tests:
        random = generator(settings.seed, "fisher", *draws)
        p_values["fisher"] = significance.fisher(differences, permutations=settings.permutations, random=random)
    random = generator(settings.seed, "bootstrap", *draws)
    boot = significance.bootstrap_intervals(
        differences, resamples=settings.resamples, alpha=settings.alpha, random=random
    )
    tested, effects = [], []
    for number, (system, sample) in enumerate(others.items()):
        result, (low, high) = by_t[number], boot[number]
        told = labels | {"system": system, "baseline": settings.baseline, "delta": result.delta}
        told |= {"queries": len(sample.qids), "seeds": sample.seeds}
        values: Row = {"value": mean(sample.values), "baseline_value": mean(base.values)}
        values |= {"ci_low": result.low, "ci_high": result.high}
        tested += [told | values | {"test": test, "p_value": p_values[test][number]} for test in settings.tests]
        size = significance.cohens_d(differences[number])
        effects.append(told | {"boot_low": low, "boot_high": high, "effect_size": size})
    return tested, effects


def _correct(rows: list[Row], settings: Settings) -> None:
    """Add correction and family to SIGNIFICANCE rows.

    A run beside itself is no hypothesis: it is in no family, and makes no other test harder.
    """
    same = [row for row in rows if _run(row) in settings.same]
    for row in same:
        row |= {"p_corrected": 1.0, "significant": False, "correction": settings.correction}
        row |= {"family": SAME, "family_size": 0}
    correct([row for row in rows if _run(row) not in settings.same], settings)


def correct(rows: list[Row], settings: Settings) -> None:
    """Add correction and family to rows that have what families are named by, each test corrected for itself."""
    families: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        row["family"] = significance.family(settings.families, row, apart=settings.apart.get(row["system"], ""))
        families.setdefault((row["family"], row["test"]), []).append(row)
    for members in families.values():
        given = [row["p_value"] for row in members]
        p_values, significant = significance.corrected(given, correction=settings.correction, alpha=settings.alpha)
        for row, p_value, mark in zip(members, p_values, significant, strict=True):
            row |= {"p_corrected": p_value, "significant": mark, "correction": settings.correction}
            row["family_size"] = len(members)


def _run(row: Row) -> tuple[str, ...]:
    return (row["system"], row["testset"], row["query_lang"], row["doc_lang"])


def compare(cells: dict[Cell, dict[str, Sample]], settings: Settings) -> tuple[list[Row], list[Row]]:
    """SIGNIFICANCE rows (one per system, cell and test) and EFFECTS rows (one per system and cell).

    Cells that the baseline does not have are counted in one line on stderr.
    """
    tests: list[Row] = []
    effects: list[Row] = []
    alone = 0
    for cell, systems in cells.items():
        if settings.baseline not in systems:
            alone += 1
        elif len(systems) > 1:
            labels = cell._asdict() | {"setup": setup(cell.query_lang, cell.doc_lang)}
            tested, sizes = compare_systems(systems, settings, labels=labels, place=cell.pair, draws=cell)
            tests += tested
            effects += sizes
    if alone:
        print(f"significance: {alone} pairs without a run of {settings.baseline} are not tested", file=sys.stderr)
    unknown = sorted(settings.same - {_run(row) for row in tests})
    if unknown:
        problem = f"{' '.join(unknown[0])} is not compared with {settings.baseline}"
        raise UserError("evaluate", "same", problem, "name a system, test set and language pair of the scores")
    _correct(tests, settings)
    return tests, effects


LANGUAGES, SETTINGS = Languages(), Settings()


def metric_rows(scores: pl.DataFrame, *, run: str, languages: Languages) -> list[Row]:
    """One METRICS row for each system, pair, seed and metric of PER_QUERY ``scores``. Means are correctly rounded."""
    rows = []
    series = ["system", "testset", "query_lang", "doc_lang", "seed", "metric"]
    for keys, group in scores.group_by(series, maintain_order=True):
        row = dict(zip(series, keys, strict=True))
        pair = (row["query_lang"], row["doc_lang"])
        if group["qid"].n_unique() < len(group):
            place = f"{row['system']} {row['testset']} {pair[0]}-{pair[1]} seed {row['seed']}"
            raise UserError("evaluate", place, "a query is scored twice", "give every test set and run once")
        labels = {"run": run, "setup": setup(*pair), "seen": languages.seen_sides(row["testset"], *pair)}
        value = math.fsum(group["value"]) / len(group)
        rows.append(row | labels | {"value": value, "queries": len(group)})
    return rows


def plain_options(*, run: str, languages: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """Options of :func:`make_tables` from JSON-plain values, as a rule has them: ``spec`` holds those of
    :class:`Settings`, and ``systems`` and ``mixed`` beside them."""
    settings = {name: value for name, value in spec.items() if name not in ("systems", "mixed", "same")}
    return {
        "run": run,
        "languages": Languages(**languages, mixed=spec["mixed"]),
        "settings": Settings(**settings, same=frozenset(map(tuple, spec["same"]))),
        "systems": spec["systems"],
    }


def make_tables(
    *,
    per_query: Sequence[str | Path],
    run: str,
    out: str | Path,
    languages: Languages = LANGUAGES,
    settings: Settings = SETTINGS,
    systems: Sequence[str] = (),
    tested: Sequence[str] = ("mrr@10",),
) -> None:
    """Write METRICS, PER_QUERY, SIGNIFICANCE and EFFECTS of a whole run from the PER_QUERY tables of its test sets.

    SIGNIFICANCE has one row for each test, and marks in summaries come from the first.

    Args:
        per_query: one PER_QUERY table per test set.
        run: name of the run.
        out: folder for the four tables: metrics.csv, per_query.parquet, significance.csv, effects.csv.
        languages: which are seen, and what mixed sides mix.
        settings: what is compared and how.
        systems: order of systems in the tables; the rest follow by name.
        tested: metrics tested.

    Raises:
        UserError: an unknown test, family or correction, an unknown language, a baseline that no test set has, systems
            that cover different queries, a test set twice, too few permutations or resamples.
    """
    scores = pl.concat([read_table(path, PER_QUERY) for path in per_query])
    if settings.baseline not in scores["system"].unique().to_list():
        raise UserError("evaluate", "baseline", f"no run of {settings.baseline}", "name a system that was ranked")
    metrics = metric_rows(scores, run=run, languages=languages)
    write_tables(scores, metrics, out=out, settings=settings, systems=systems, tested=tested)


def write_tables(
    scores: pl.DataFrame,
    metrics: list[Row],
    *,
    out: str | Path,
    settings: Settings,
    systems: Sequence[str],
    tested: Sequence[str],
) -> None:
    """Compare the systems of PER_QUERY ``scores`` and write the four tables of :func:`make_tables`, which says what the
    options are; ``metrics`` are the METRICS rows of ``scores``."""
    significance, effects = compare(samples(scores, list(tested)), settings)
    folder = Path(out)
    write_table(scores, folder / "per_query.parquet", PER_QUERY)
    place = {system: number for number, system in enumerate(systems)}
    columns = ["testset", "setup", "query_lang", "doc_lang"]
    for name, rows, schema, order in [
        ("metrics", metrics, METRICS, [*columns, "seed", "metric"]),
        ("significance", significance, SIGNIFICANCE, [*columns, "metric"]),
        ("effects", effects, EFFECTS, [*columns, "metric"]),
    ]:
        # By system as declared (others after them by name), then by what it was tested on.
        rows.sort(key=lambda row: [place.get(row["system"], len(place)), *(row[part] for part in ["system", *order])])
        write_table(pl.DataFrame(rows, schema=pl.Schema(schema)), folder / f"{name}.csv", schema)
