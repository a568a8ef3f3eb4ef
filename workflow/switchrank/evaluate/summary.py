"""The main table of a run as plain text for a terminal: means by setup and seen sides, then every pair."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import polars as pl

from switchrank.core.errors import UserError
from switchrank.evaluate.families import span
from switchrank.formats.tables import METRICS, SIGNIFICANCE, read_table

_SETUPS = {"moir": "MoIR", "clir": "CLIR", "mlir": "MLIR"}
_SEEN = {"both": "seen", "query": "doc unseen", "document": "query unseen", "none": "unseen"}

Render = Callable[[str, str], str]
"""Text of a cell: (system, column) to string."""


class _Pairs(NamedTuple):
    """One test set and metric: seed means, gains and marks by (system, pair); pairs of each group of columns."""

    values: dict[tuple[str, str], float]
    gains: dict[tuple[str, str], float]
    marks: dict[tuple[str, str], str]
    groups: dict[str, list[str]]
    systems: list[str]


def _mark(delta: float, significant: bool) -> str:
    if not significant:
        return ""
    return "*" if delta > 0 else "!"


def _collect(metrics: pl.DataFrame, significance: pl.DataFrame) -> _Pairs:
    values: dict[tuple[str, str], list[float]] = {}
    groups: dict[str, list[str]] = {}
    for setup_name, setup_title in _SETUPS.items():
        for seen_name, seen_title in _SEEN.items():
            rows = metrics.filter((pl.col("setup") == setup_name) & (pl.col("seen") == seen_name))
            for row in rows.iter_rows(named=True):
                pair = f"{row['query_lang']}-{row['doc_lang']}"
                values.setdefault((row["system"], pair), []).append(row["value"])
                pairs = groups.setdefault(f"{setup_title} {seen_title}", [])
                if pair not in pairs:
                    pairs.append(pair)
    gains, marks = {}, {}
    for row in significance.iter_rows(named=True):
        name = (row["system"], f"{row['query_lang']}-{row['doc_lang']}")
        gains[name] = row["delta"]
        marks[name] = _mark(row["delta"], row["significant"])
    means = {name: math.fsum(seeds) / len(seeds) for name, seeds in values.items()}
    return _Pairs(means, gains, marks, groups, metrics["system"].unique(maintain_order=True).to_list())


def _group_cell(found: _Pairs, system: str, group: str) -> str:
    """Mean over the pairs of the group, gain over the baseline on the same pairs, and on how many it is significant."""
    pairs = [pair for pair in found.groups[group] if (system, pair) in found.values]
    if not pairs:
        return ""
    mean = f"{math.fsum(found.values[system, pair] for pair in pairs) / len(pairs):.3f}"
    tested = [pair for pair in pairs if (system, pair) in found.gains]
    if not tested:
        return f"{mean}{'':11}"
    gain = math.fsum(found.gains[system, pair] for pair in tested) / len(tested)
    better = sum(found.marks[system, pair] == "*" for pair in tested)
    worse = sum(found.marks[system, pair] == "!" for pair in tested)
    signs = f"{better}*" * (better > 0) + f"{worse}!" * (worse > 0)
    return f"{mean} {gain:+.3f} {signs:<4}"


def _pair_cell(found: _Pairs, system: str, pair: str) -> str:
    value = found.values.get((system, pair))
    return "" if value is None else f"{value:.3f}{found.marks.get((system, pair), ''):1}"


def _grid(systems: list[str], columns: list[str], render: Render, width: int) -> list[str]:
    """Lines of a table of systems by columns, broken into blocks that fit ``width``."""
    name = max(len(system) for system in systems) + 2
    cells = {column: [render(system, column) for system in systems] for column in columns}
    sizes = {column: max(len(column), *(len(cell) for cell in cells[column])) + 2 for column in columns}
    blocks: list[list[str]] = [[]]
    for column in columns:
        if blocks[-1] and name + sum(sizes[c] for c in blocks[-1]) + sizes[column] > width:
            blocks.append([])
        blocks[-1].append(column)
    lines: list[str] = []
    for block in blocks:
        lines.append(f"{'':{name}}" + "".join(f"{column:>{sizes[column]}}" for column in block))
        for row, system in enumerate(systems):
            lines.append(f"{system:{name}}" + "".join(f"{cells[c][row]:>{sizes[c]}}" for c in block))
        lines.append("")
    return [line.rstrip() for line in lines]


def main_table(metrics_csv: str | Path, significance_csv: str | Path, metric: str = "mrr@10", width: int = 100) -> str:
    """The table as text, at most ``width`` columns wide (more only if one column does not fit).

    For each test set: systems by groups of pairs (mean, gain over the baseline, number of pairs significantly better
    ``*`` or worse ``!``), then systems by pairs (mean over seeds and its mark). Marks are those of the first test.

    Raises:
        UserError: a table is missing or does not have the metric.
    """
    metrics = read_table(metrics_csv, METRICS).filter(pl.col("metric") == metric)
    significance = _first_test(read_table(significance_csv, SIGNIFICANCE).filter(pl.col("metric") == metric))
    if metrics.is_empty():
        raise UserError(metrics_csv, "metric", f"no {metric}", "name a metric that was evaluated")
    lines: list[str] = []
    for testset in metrics["testset"].unique(maintain_order=True):
        found = _collect(
            metrics.filter(pl.col("testset") == testset), significance.filter(pl.col("testset") == testset)
        )
        lines += [f"{testset}: {metric}, means over language pairs", ""]
        lines += _grid(found.systems, list(found.groups), partial(_group_cell, found), width)
        lines += [f"{testset}: {metric} by language pair (query-document)", ""]
        pairs = [pair for group in found.groups.values() for pair in group]
        lines += _grid(found.systems, pairs, partial(_pair_cell, found), width)
    return "\n".join([*lines, *_legend(significance), ""])


def _first_test(significance: pl.DataFrame) -> pl.DataFrame:
    """The rows of the test that stands first in the table: tests stand in declared order."""
    return significance.filter(pl.col("test") == pl.col("test").first())


def _legend(significance: pl.DataFrame) -> list[str]:
    tested = significance.filter(pl.col("family_size") > 0)
    if tested.is_empty():
        return ["No significance tests for this metric."]
    row = tested.row(0, named=True)
    corrections = {"holm": "Holm's", "bonferroni": "Bonferroni's", "none": "no"}
    tests = {"t": "paired t-test", "fisher": "Fisher randomisation test"}
    return [
        f"Signed numbers: difference to {row['baseline']}. * significantly better, ! significantly worse:",
        f"two-sided {tests[row['test']]} over queries, {corrections[row['correction']]} correction {span(row)}.",
    ]
