"""The three tables of a run: metrics per system, pair and seed; per-query scores; significance against the baseline."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.errors import UserError
from switchrank.evaluate.groups import Languages, setup
from switchrank.evaluate.significance import corrected, paired_t
from switchrank.formats.tables import METRICS, PER_QUERY, SIGNIFICANCE, read_table, write_table

Row = dict[str, Any]
_SERIES = ["system", "testset", "query_lang", "doc_lang", "seed", "metric"]


class Cell(NamedTuple):
    """One language pair of a test set under one metric."""

    testset: str
    query_lang: str
    doc_lang: str
    metric: str


class Sample(NamedTuple):
    """Scores of one system in one cell, averaged over seeds: ``qids`` ascending, ``values`` beside them."""

    qids: tuple[str, ...]
    values: NDArray[np.float64]
    seeds: int


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


def _sample(group: pl.DataFrame, place: str) -> Sample:
    wide = group.sort("seed", "qid").partition_by("seed", maintain_order=True)
    qids = tuple(wide[0]["qid"].to_list())
    for part in wide:
        if tuple(part["qid"].to_list()) != qids:
            raise UserError("evaluate", place, "seeds cover different queries", "evaluate all seeds again")
    values = np.mean(np.stack([part["value"].to_numpy() for part in wide]), axis=0)
    return Sample(qids, values, len(wide))


def samples(scores: pl.DataFrame, metrics: list[str]) -> dict[Cell, dict[str, Sample]]:
    """Seed averages by cell and system, for the metrics that are tested."""
    found: dict[Cell, dict[str, Sample]] = {}
    keys = ["testset", "query_lang", "doc_lang", "metric", "system"]
    for names, group in scores.filter(pl.col("metric").is_in(metrics)).group_by(keys, maintain_order=True):
        testset, query, document, metric, system = (str(name) for name in names)
        sample = _sample(group, f"{system} {testset} {query}-{document}")
        found.setdefault(Cell(testset, query, document, metric), {})[system] = sample
    return found


def _comparison(cell: Cell, system: str, sample: Sample, baseline: str, base: Sample, alpha: float) -> Row:
    if sample.qids != base.qids:
        place = f"{cell.testset} {cell.query_lang}-{cell.doc_lang}"
        problem = f"{system} and {baseline} cover different queries"
        raise UserError("evaluate", place, problem, "evaluate both with the same judgements")
    result = paired_t(sample.values, base.values, alpha=alpha)
    return {
        **cell._asdict(),
        "system": system,
        "baseline": baseline,
        "setup": setup(cell.query_lang, cell.doc_lang),
        "value": math.fsum(sample.values) / len(sample.values),
        "baseline_value": math.fsum(base.values) / len(base.values),
        "delta": result.delta,
        "ci_low": result.low,
        "ci_high": result.high,
        "test": "t",
        "p_value": result.p_value,
        "queries": len(sample.qids),
        "seeds": sample.seeds,
    }


def significance_rows(
    cells: dict[Cell, dict[str, Sample]], *, baseline: str, references: list[str], correction: str, alpha: float
) -> list[Row]:
    """One SIGNIFICANCE row for each system and cell that the baseline has too; other cells are counted on stderr."""
    families: dict[str, list[Row]] = {}
    alone = [cell for cell, systems in cells.items() if baseline not in systems]
    for cell, systems in cells.items():
        for system, sample in systems.items():
            if system == baseline or cell in alone:
                continue
            row = _comparison(cell, system, sample, baseline, systems[baseline], alpha)
            name = f"{cell.testset} {row['setup']} {cell.metric}" + (" references" if system in references else "")
            families.setdefault(name, []).append(row)
    if alone:
        print(f"significance: {len(alone)} pairs without a run of {baseline} are not tested", file=sys.stderr)
    for name, rows in families.items():
        p_values, significant = corrected([row["p_value"] for row in rows], correction=correction, alpha=alpha)
        for row, p_value, mark in zip(rows, p_values, significant, strict=True):
            row |= {"p_corrected": p_value, "significant": mark, "correction": correction}
            row |= {"family": name, "family_size": len(rows)}
    return [row for rows in families.values() for row in rows]


def make_tables(
    *,
    per_query: list[str | Path],
    run: str,
    languages: dict[str, Any],
    metrics_out: str | Path,
    per_query_out: str | Path,
    significance_out: str | Path,
    mixed: dict[str, list[str]] | None = None,
    baseline: str = "zero-shot",
    references: list[str] | None = None,
    systems: list[str] | None = None,
    tested: list[str] | None = None,
    test: str = "t",
    correction: str = "holm",
    alpha: float = 0.05,
) -> None:
    """Write METRICS, PER_QUERY and SIGNIFICANCE of a whole run from the PER_QUERY tables of its test sets.

    Args:
        per_query: one PER_QUERY table per test set.
        run: name of the run.
        languages: ``{"source": "en", "seen": [...], "unseen": [...]}``.
        mixed: for each test set with an ``xx`` side, the languages it mixes.
        baseline: the system all others are compared with.
        references: reference rankings, by default ``random`` and ``bm25``: compared too, in families of their own.
        systems: order of systems in the tables; the rest follow by name.
        tested: metrics that are tested, by default ``mrr@10``.
        test: ``t``, the two-sided paired t-test over queries; scores are averaged over seeds first.
        correction: ``holm``, ``bonferroni`` or ``none``, over the family of one test set, setup and metric.
        alpha: level of significance; confidence intervals are ``1 - alpha`` t intervals, not corrected.

    Raises:
        UserError: an unknown test or correction, an unknown language, a baseline that no test set has, systems that
            cover different queries, a test set twice.
    """
    if test != "t":
        raise UserError("evaluate", "test", f"unknown value {test}", "write t")
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
    compared = significance_rows(
        samples(scores, tested or ["mrr@10"]),
        baseline=baseline,
        references=["random", "bm25"] if references is None else references,
        correction=correction,
        alpha=alpha,
    )
    columns = ["testset", "setup", "query_lang", "doc_lang", "metric"]
    _write_csv(_in_order(metrics, order, [*columns[:4], "seed", "metric"]), metrics_out, METRICS)
    write_table(scores, per_query_out, PER_QUERY)
    _write_csv(_in_order(compared, order, columns), significance_out, SIGNIFICANCE)


def _write_csv(rows: list[Row], out: str | Path, schema: dict[str, Any]) -> None:
    write_table(pl.DataFrame(rows, schema=pl.Schema(schema)), out, schema)
