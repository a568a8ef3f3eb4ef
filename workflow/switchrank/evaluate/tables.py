"""The tables of a run: metrics per system, pair and seed; per-query scores; significance and size of differences."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.core.errors import UserError
from switchrank.evaluate.comparisons import Row, Settings, compare, samples
from switchrank.evaluate.groups import Languages, setup
from switchrank.formats.tables import EFFECTS, METRICS, PER_QUERY, SIGNIFICANCE, read_table, write_table

_SERIES = ["system", "testset", "query_lang", "doc_lang", "seed", "metric"]


def _in_order(rows: list[Row], systems: list[str], columns: list[str]) -> list[Row]:
    """Rows by system as declared (others after them by name), then by ``columns``."""
    place = {system: number for number, system in enumerate(systems)}
    return sorted(
        rows, key=lambda row: (place.get(row["system"], len(place)), row["system"], *(row[name] for name in columns))
    )


def metric_rows(scores: pl.DataFrame, *, run: str, languages: Languages) -> list[Row]:
    """One METRICS row for each system, pair, seed and metric of PER_QUERY ``scores``. Means are correctly rounded."""
    rows = []
    for keys, group in scores.group_by(_SERIES, maintain_order=True):
        row = dict(zip(_SERIES, keys, strict=True))
        pair = (row["query_lang"], row["doc_lang"])
        if group["qid"].n_unique() < len(group):
            place = f"{row['system']} {row['testset']} {pair[0]}-{pair[1]} seed {row['seed']}"
            raise UserError("evaluate", place, "a query is scored twice", "give every test set and run once")
        labels = {"run": run, "setup": setup(*pair), "seen": languages.seen_sides(row["testset"], *pair)}
        value = math.fsum(group["value"]) / len(group)
        rows.append(row | labels | {"value": value, "queries": len(group)})
    return rows


def make_tables(
    *,
    per_query: list[str | Path],
    run: str,
    languages: dict[str, Any],
    metrics_out: str | Path,
    per_query_out: str | Path,
    significance_out: str | Path,
    effects_out: str | Path,
    mixed: dict[str, list[str]] | None = None,
    baseline: str = "zero-shot",
    apart: dict[str, str] | None = None,
    same: list[list[str]] | None = None,
    systems: list[str] | None = None,
    tested: list[str] | None = None,
    tests: list[str] | None = None,
    families: str = "setup",
    correction: str = "holm",
    alpha: float = 0.05,
    permutations: int = 100_000,
    resamples: int = 10_000,
    seed: int = 0,
) -> None:
    """Write METRICS, PER_QUERY, SIGNIFICANCE and EFFECTS of a whole run from the PER_QUERY tables of its test sets.

    Args:
        per_query: one PER_QUERY table per test set.
        run: name of the run.
        languages: ``{"source": "en", "seen": [...], "unseen": [...]}``.
        mixed: for each test set with an ``xx`` side, the languages it mixes.
        baseline: the system all others are compared with.
        apart: systems that are compared too, in families of their own, and the name of each one's group; by default
            the reference rankings ``random`` and ``bm25``.
        same: ``[system, testset, query_lang, doc_lang]`` of runs that are the baseline's own: their rows are in no
            family, which ``family_size`` 0 tells, and are never significant.
        systems: order of systems in the tables; the rest follow by name.
        tested: metrics that are tested, by default ``mrr@10``.
        tests: ``t``, the paired t-test over queries, and ``fisher``, the randomisation test; both two-sided, on scores
            averaged over seeds. One row of SIGNIFICANCE each; marks in summaries come from the first. Default: ``t``.
        families: what is corrected together, for each test and metric: ``setup`` (the comparisons of one test set and
            setup), ``testset`` (all setups of a test set) or ``run`` (everything).
        correction: ``holm``, ``bonferroni`` or ``none``, over the family.
        alpha: level of significance; ``ci_low`` and ``ci_high`` are ``1 - alpha`` t intervals whatever the test, and
            EFFECTS holds bootstrap intervals of that level; neither is corrected.
        permutations: sign patterns of the randomisation test (up to so many it is exact).
        resamples: of the bootstrap.
        seed: of both; every cell (test set, pair, metric) has draws of its own.

    Raises:
        UserError: an unknown test, family or correction, an unknown language, a baseline that no test set has, systems
            that cover different queries, a test set twice, too few permutations or resamples.
    """
    settings = Settings(
        baseline=baseline,
        apart={"random": "references", "bm25": "references"} if apart is None else apart,
        tests=("t",) if tests is None else tuple(tests),
        same=frozenset(tuple(run) for run in same or ()),
        families=families,
        correction=correction,
        alpha=alpha,
        permutations=permutations,
        resamples=resamples,
        seed=seed,
    )
    known = Languages(
        languages["source"],
        tuple(languages["seen"]),
        tuple(languages.get("unseen", ())),
        {name: tuple(members) for name, members in (mixed or {}).items()},
    )
    scores = pl.concat([read_table(path, PER_QUERY) for path in per_query])
    if baseline not in scores["system"].unique().to_list():
        raise UserError("evaluate", "baseline", f"no run of {baseline}", "name a system that was ranked")
    order = systems or []
    metrics = metric_rows(scores, run=run, languages=known)
    significance, effects = compare(samples(scores, tested or ["mrr@10"]), settings)
    columns = ["testset", "setup", "query_lang", "doc_lang", "metric"]
    _write_csv(_in_order(metrics, order, [*columns[:4], "seed", "metric"]), metrics_out, METRICS)
    write_table(scores, per_query_out, PER_QUERY)
    _write_csv(_in_order(significance, order, columns), significance_out, SIGNIFICANCE)
    _write_csv(_in_order(effects, order, columns), effects_out, EFFECTS)


def _write_csv(rows: list[Row], out: str | Path, schema: dict[str, Any]) -> None:
    write_table(pl.DataFrame(rows, schema=pl.Schema(schema)), out, schema)
