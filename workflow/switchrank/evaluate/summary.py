"""The main table of a run as plain text for a terminal: means by setup and seen sides, then every pair."""

import math
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import NamedTuple

import polars as pl

from switchrank.core.errors import UserError
from switchrank.evaluate.significance import span
from switchrank.formats.tables import METRICS, SIGNIFICANCE, read_table

_PAIR = ("query_lang", "doc_lang")
_SETUPS = {"moir": "MoIR", "clir": "CLIR", "mlir": "MLIR"}
_SEEN = {"both": "seen", "query": "doc unseen", "document": "query unseen", "none": "unseen"}


class _Pairs(NamedTuple):
    """One test set and metric: seed means, gains and marks by (system, pair); pairs of each group of columns."""

    values: dict[tuple[str, str], float]
    gains: dict[tuple[str, str], float]
    marks: dict[tuple[str, str], str]
    groups: dict[str, list[str]]
    systems: list[str]

    def group_cell(self, system: str, group: str) -> str:
        """Mean over the pairs of the group, gain over the baseline on them, and on how many it is significant."""
        pairs = [pair for pair in self.groups[group] if (system, pair) in self.values]
        if not pairs:
            return ""
        mean = f"{math.fsum(self.values[system, pair] for pair in pairs) / len(pairs):.3f}"
        tested = [pair for pair in pairs if (system, pair) in self.gains]
        if not tested:
            return f"{mean}{'':11}"
        gain = math.fsum(self.gains[system, pair] for pair in tested) / len(tested)
        better = sum(self.marks[system, pair] == "*" for pair in tested)
        worse = sum(self.marks[system, pair] == "!" for pair in tested)
        signs = f"{better}*" * (better > 0) + f"{worse}!" * (worse > 0)
        return f"{mean} {gain:+.3f} {signs:<4}"

    def pair_cell(self, system: str, pair: str) -> str:
        value = self.values.get((system, pair))
        return "" if value is None else f"{value:.3f}{self.marks.get((system, pair), ''):1}"


def _collect(metrics: pl.DataFrame, significance: pl.DataFrame) -> _Pairs:
    values: dict[tuple[str, str], list[float]] = {}
    groups: dict[str, list[str]] = {}
    named = pl.concat_str(*_PAIR, separator="-").alias("pair")
    for (setup, setup_title), (seen, seen_title) in product(_SETUPS.items(), _SEEN.items()):
        rows = metrics.filter(setup=setup, seen=seen).select("system", named, "value")
        for system, pair, value in rows.iter_rows():
            values.setdefault((system, pair), []).append(value)
        if len(rows):
            groups[f"{setup_title} {seen_title}"] = rows["pair"].unique(maintain_order=True).to_list()
    gains, marks = {}, {}
    for system, pair, delta, significant in significance.select("system", named, "delta", "significant").iter_rows():
        gains[system, pair] = delta
        marks[system, pair] = ("*" if delta > 0 else "!") if significant else ""
    means = {name: math.fsum(seeds) / len(seeds) for name, seeds in values.items()}
    return _Pairs(means, gains, marks, groups, metrics["system"].unique(maintain_order=True).to_list())


def _grid(systems: list[str], columns: list[str], render: Callable[[str, str], str], width: int) -> list[str]:
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
    UserError where a table is missing or does not have the metric.
    """
    metrics = read_table(metrics_csv, METRICS).filter(metric=metric)
    # Tests stand in declared order.
    significance = read_table(significance_csv, SIGNIFICANCE).filter(metric=metric)
    significance = significance.filter(pl.col("test") == pl.col("test").first())
    if metrics.is_empty():
        raise UserError(metrics_csv, "metric", f"no {metric}", "name a metric that was evaluated")
    lines: list[str] = []
    for testset in metrics["testset"].unique(maintain_order=True):
        found = _collect(metrics.filter(testset=testset), significance.filter(testset=testset))
        lines += [f"{testset}: {metric}, means over language pairs", ""]
        lines += _grid(found.systems, list(found.groups), found.group_cell, width)
        lines += [f"{testset}: {metric} by language pair (query-document)", ""]
        pairs = [pair for group in found.groups.values() for pair in group]
        lines += _grid(found.systems, pairs, found.pair_cell, width)
    return "\n".join([*lines, *_legend(significance), ""])


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
