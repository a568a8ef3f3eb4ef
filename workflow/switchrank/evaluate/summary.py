"""The tables of a run as plain text for a terminal: means by setup and seen sides, then every pair; means by setup."""

import math
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from switchrank.core.errors import UserError
from switchrank.evaluate.significance import span
from switchrank.formats.measures import FALLING
from switchrank.formats.tables import METRICS, SETUPS, SIGNIFICANCE, read_table

_PAIR = ("query_lang", "doc_lang")
_SETUPS = {"moir": "MoIR", "clir": "CLIR", "mlir": "MLIR"}
_SEEN = {"both": "seen", "query": "doc unseen", "document": "query unseen", "none": "unseen"}


class _Result(NamedTuple):
    """A system's mean over seeds on a pair, and where it was tested its gain over the baseline and the mark."""

    value: float
    gain: float | None = None
    mark: str = ""


def _collect(
    metrics: pl.DataFrame, significance: pl.DataFrame
) -> tuple[dict[str, dict[str, _Result]], dict[str, list[str]]]:
    """Of one test set and metric the results by system and pair, and the pairs of each group of columns."""
    named = pl.concat_str(*_PAIR, separator="-").alias("pair")
    tests = {}
    for system, pair, delta, significant in significance.select("system", named, "delta", "significant").iter_rows():
        tests[system, pair] = delta, ("*" if delta > 0 else "!") if significant else ""
    results: dict[str, dict[str, _Result]] = {name: {} for name in metrics["system"].unique(maintain_order=True)}
    groups = {}
    for (setup, setup_title), (seen, seen_title) in product(_SETUPS.items(), _SEEN.items()):
        rows = metrics.filter(setup=setup, seen=seen).group_by("system", named, maintain_order=True).agg("value")
        for system, pair, seeds in rows.iter_rows():
            results[system][pair] = _Result(math.fsum(seeds) / len(seeds), *tests.get((system, pair), ()))
        if len(rows):
            groups[f"{setup_title} {seen_title}"] = rows["pair"].unique(maintain_order=True).to_list()
    return results, groups


def _summed(results: list[_Result]) -> str:
    """Mean over some pairs, gain over the baseline on them, and on how many it is significant."""
    if not results:
        return ""
    mean = f"{math.fsum(result.value for result in results) / len(results):.3f}"
    gains = [result.gain for result in results if result.gain is not None]
    if not gains:
        return f"{mean}{'':11}"
    counts = {mark: sum(result.mark == mark for result in results) for mark in "*!"}
    signs = "".join(f"{count}{mark}" for mark, count in counts.items() if count)
    return f"{mean} {math.fsum(gains) / len(gains):+.3f} {signs:<4}"


def _grid(systems: list[str], columns: dict[str, list[str]], width: int) -> list[str]:
    """Lines of a table of systems by columns, broken into blocks that fit ``width``."""
    name = max(len(system) for system in systems) + 2
    sizes = {column: max(len(column), *map(len, cells)) + 2 for column, cells in columns.items()}
    blocks: list[list[str]] = [[]]
    for column in columns:
        if blocks[-1] and name + sum(sizes[c] for c in blocks[-1]) + sizes[column] > width:
            blocks.append([])
        blocks[-1].append(column)
    lines: list[str] = []
    for block in blocks:
        lines.append(f"{'':{name}}" + "".join(f"{column:>{sizes[column]}}" for column in block))
        for row, system in enumerate(systems):
            lines.append(f"{system:{name}}" + "".join(f"{columns[c][row]:>{sizes[c]}}" for c in block))
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
        results, groups = _collect(metrics.filter(testset=testset), significance.filter(testset=testset))
        by_group, by_pair = {}, {}
        for group, pairs in groups.items():
            by_group[group] = [_summed([own[pair] for pair in pairs if pair in own]) for own in results.values()]
            for pair in pairs:
                found = [own.get(pair) for own in results.values()]
                by_pair[pair] = [f"{result.value:.3f}{result.mark:1}" if result else "" for result in found]
        lines += [f"{testset}: {metric}, means over language pairs", ""]
        lines += _grid(list(results), by_group, width)
        lines += [f"{testset}: {metric} by language pair (query-document)", ""]
        lines += _grid(list(results), by_pair, width)
    return "\n".join([*lines, *_legend(significance), ""])


def setups_text(setups_csv: str | Path, width: int = 100) -> str:
    """SETUPS as text, at most ``width`` columns wide: for each measure systems by test set and setup.

    A cell holds the mean over the language pairs of the setup, the difference to the baseline, and its mark by the
    first test: ``*`` significantly better, ``!`` worse.
    """
    table = read_table(setups_csv, SETUPS)
    systems = table["system"].unique(maintain_order=True).to_list()
    tests = table["test"].drop_nulls()
    first = table.filter(pl.col("test").is_null() | (pl.col("test") == (tests[0] if len(tests) else "")))
    lines: list[str] = []
    for metric in table["metric"].unique(maintain_order=True):
        columns: dict[str, list[str]] = {}
        order = pl.col("setup").replace_strict(list(_SETUPS), range(len(_SETUPS)))
        rows = first.filter(metric=metric).sort(order, maintain_order=True)
        for (testset, setup), group in rows.group_by("testset", "setup", maintain_order=True):
            found = {row["system"]: _with_gain(row) for row in group.iter_rows(named=True)}
            columns[f"{testset} {_SETUPS[str(setup)]}"] = [found.get(system, "") for system in systems]
        less = " (less is better)" if metric in FALLING else ""
        lines += [f"{metric}{less}, means over the language pairs of a setup", "", *_grid(systems, columns, width)]
    return "\n".join([*lines, *_legend(first.filter(pl.col("test").is_not_null())), ""])


def _with_gain(row: dict[str, Any]) -> str:
    """The value of a SETUPS row, the difference to the baseline where there is one, and its mark."""
    digits = 1 if row["metric"] in FALLING else 3
    value, delta = f"{row['value']:.{digits}f}", row["delta"]
    if delta is None:
        return f"{value}{'':9}"
    better = (delta > 0) != (row["metric"] in FALLING)
    mark = ("*" if better else "!") if row["significant"] else ""
    return f"{value} {delta:+7.{digits}f}{mark:1}"


def _legend(significance: pl.DataFrame) -> list[str]:
    tested = significance.filter(pl.col("family_size") > 0)
    if tested.is_empty():
        return ["No significance tests for this metric."]
    row = tested.row(0, named=True)
    corrections = {"holm": "Holm's", "bonferroni": "Bonferroni's", "none": "no"}
    tests = {"t": "paired t-test", "fisher": "Fisher randomisation test"}
    baselines = " or ".join(tested["baseline"].unique(maintain_order=True))
    return [
        f"Signed numbers: difference to {baselines}. * significantly better, ! significantly worse:",
        f"two-sided {tests[row['test']]} over queries, {corrections[row['correction']]} correction {span(row)}.",
    ]
