"""The picture of word overlap: does a system rank well only where query and passage share words?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes

from switchrank.formats.tables import OVERLAP, read_table
from switchrank.report.data import (
    PAIR,
    REFERENCES,
    SETUPS,
    Languages,
    pick,
    systems_of,
    with_pairs,
    write_numbers,
)
from switchrank.report.drawing import INK, figure, legend_entries, looks_among, reference_looks, save_svg

BIN = ["low", "high"]
WIDEST = 9.0
"""Inches of panels side by side; wider ones are stacked."""


def overlap_picture(
    *,
    overlap: str | Path,
    testset: str,
    languages: Languages,
    out: str | Path,
    baseline: str = "zero-shot",
    systems: Sequence[str] = (),
    metric: str = "mrr@10",
    table: str | Path | None = None,
) -> None:
    """Write an SVG with one panel per setup: the metric by the overlap of query and relevant passage, a line a system.

    A point is the mean over all queries of a bin, of all pairs of the setup, seeds averaged; the number of queries
    stands under the bin. Systems that scored fewer pairs of a setup than others are left out of its panel.

    Args:
        overlap: tables/overlap.csv; all pairs have the same bins.
        testset: name of the test set.
        languages: the run's languages.
        out: the SVG.
        baseline: drawn in black.
        systems: all systems of the run in their order, so that colours agree between pictures.
        metric: which metric.
        table: CSV to write the numbers of the picture to: testset, metric, setup, system, low, high, value, queries.

    Raises:
        UserError: the table is missing or holds nothing of ``testset`` and ``metric``.
    """
    rows = with_pairs(pick(read_table(overlap, OVERLAP), overlap, testset=testset, metric=metric), languages)
    points = pl.concat([_points(part, setup) for setup, part in _by_setup(rows).items()])
    if table is not None:
        order = ["testset", "metric", "setup", "system", *BIN, "value", "queries"]
        write_numbers(points.with_columns(testset=pl.lit(testset), metric=pl.lit(metric)).select(order), table)
    trained, shown = systems_of(points, baseline, REFERENCES)
    looks = {**looks_among(trained, systems, baseline), **reference_looks(shown)}
    _draw(points, looks, baseline, metric.upper(), f"{metric.upper()} on {testset}", out)


def _by_setup(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    parts = {setup: rows.filter(pl.col("setup") == setup) for setup in SETUPS}
    return {setup: part for setup, part in parts.items() if len(part)}


def _points(rows: pl.DataFrame, setup: str) -> pl.DataFrame:
    """system, low, high, value, queries, setup: weighted by queries, for the systems with most pairs of the setup."""
    pairs = rows.group_by("system").agg(pl.struct(PAIR).n_unique().alias("pairs"))
    complete = pairs.filter(pl.col("pairs") == pl.col("pairs").max())["system"].to_list()
    seeds = rows.filter(pl.col("system").is_in(complete)).group_by("system", *PAIR, *BIN, maintain_order=True)
    means = seeds.agg(pl.col("value").mean(), pl.col("queries").max()).filter(pl.col("queries") > 0)
    weighted = (pl.col("value") * pl.col("queries")).sum() / pl.col("queries").sum()
    points = means.group_by("system", *BIN, maintain_order=True).agg(weighted, pl.col("queries").sum())
    return points.with_columns(setup=pl.lit(setup)).sort(BIN, maintain_order=True)


def _draw(
    points: pl.DataFrame, looks: dict[str, dict[str, Any]], baseline: str, what: str, name: str, out: str | Path
) -> None:
    setups = points["setup"].unique(maintain_order=True).to_list()
    widths = [0.62 * len(_bins(points.filter(pl.col("setup") == setup))) + 0.5 for setup in setups]
    stacked = sum(widths) > WIDEST
    width, height = (max(widths), 2.6 * len(setups)) if stacked else (sum(widths), 2.6)
    with figure(max(4.6, width + 0.6), height + 0.9) as picture:
        grid: dict[str, Any] = {} if stacked else {"gridspec_kw": {"width_ratios": widths}}
        shape = (len(setups), 1) if stacked else (1, len(setups))
        axes = picture.subplots(*shape, sharey=True, squeeze=False, **grid).flatten()
        for axis, setup in zip(axes, setups, strict=True):
            _draw_panel(axis, points.filter(pl.col("setup") == setup), looks, setup)
        for axis in axes if stacked else axes[:1]:
            axis.set_ylabel(what)
        axes[0].set_ylim(bottom=0)
        picture.supxlabel("share of the query's words that occur in a relevant passage; n: queries", fontsize=9)
        entries = legend_entries(looks, baseline)
        picture.legend(handles=entries, loc="outside upper left", ncols=min(4, len(entries)), fontsize=8)
        save_svg(picture, out, f"{name} by word overlap of query and passage")


def _bins(points: pl.DataFrame) -> list[tuple[float, float]]:
    return points.select(BIN).unique().sort(BIN).rows()


def _draw_panel(axis: Axes, points: pl.DataFrame, looks: dict[str, dict[str, Any]], setup: str) -> None:
    axis.set_title(SETUPS[setup].replace(": ", "\n"), fontsize=8.5)
    axis.grid(axis="y")
    axis.set_axisbelow(True)
    bins = _bins(points)
    counts = {tuple(row[:2]): row[2] for row in points.select(*BIN, "queries").iter_rows()}
    labels = [f"{_percent(low)}–{_percent(high)}%\nn={counts[low, high]:,}" for low, high in bins]
    axis.set_xticks(range(len(bins)), labels)
    axis.set_xlim(-0.4, len(bins) - 0.6)
    axis.tick_params(labelsize=7.5, labelleft=True, color=INK)
    for system, look in looks.items():
        line = points.filter(pl.col("system") == system)
        places = [bins.index(row) for row in line.select(BIN).iter_rows()]
        axis.plot(places, line["value"], **{"linewidth": 1.4, "markersize": 4.5, **look})


def _percent(share: float) -> str:
    return f"{100 * share:.3g}"
