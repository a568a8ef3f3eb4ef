"""The picture of word overlap: does a system rank well only where query and passage share words?"""

from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes

from switchrank.core.languages import Languages
from switchrank.formats.tables import OVERLAP, read_table
from switchrank.report import drawing
from switchrank.report.data import PAIR, SETUPS, MetricPlot, pick, systems_of, with_pairs

BIN = ["low", "high"]
WIDEST = 9.0
"""Inches of panels side by side; wider ones are stacked."""


def overlap_picture(*, overlap: str | Path, languages: Languages, plot: MetricPlot) -> None:
    """Write an SVG with one panel per setup: the metric by overlap of query and relevant passage, a line per system.

    A point is the mean over all queries of a bin, of all pairs of the setup, seeds averaged; the number of queries
    stands under the bin. Systems that scored fewer pairs of a setup than others are left out of its panel. The numbers
    are testset, metric, setup, system, low, high, value, queries.

    Args:
        overlap: tables/overlap.csv; all pairs have the same bins.
        languages: the run's languages.
        plot: what is drawn, and where to.

    Raises:
        UserError: the table is missing or holds nothing of the test set and metric.
    """
    points = _points(with_pairs(pick(read_table(overlap, OVERLAP), overlap, **plot.labels), languages))
    plot.write(points, ["setup", "system", *BIN, "value", "queries"])
    trained, references = systems_of(points, plot.baseline)
    looks = plot.looks(trained) | drawing.reference_looks(references)
    setups = points.partition_by("setup", maintain_order=True)
    widths = [0.62 * part.select(BIN).n_unique() + 0.5 for part in setups]
    stacked = sum(widths) > WIDEST
    width, height = (max(widths), 2.6 * len(setups)) if stacked else (sum(widths), 2.6)
    title = f"{plot.title} by word overlap of query and passage"
    with drawing.drawn(plot.out, title, max(4.6, width + 0.6), height + 0.9) as picture:
        grid: dict[str, Any] = {} if stacked else {"gridspec_kw": {"width_ratios": widths}}
        shape = (len(setups), 1) if stacked else (1, len(setups))
        axes = picture.subplots(*shape, sharey=True, squeeze=False, **grid).flatten()
        for axis, part in zip(axes, setups, strict=True):
            _draw_panel(axis, part, looks)
        for axis in axes if stacked else axes[:1]:
            axis.set_ylabel(plot.metric.upper())
        axes[0].set_ylim(bottom=0)
        picture.supxlabel("share of the query's words that occur in a relevant passage; n: queries", fontsize=9)
        drawing.legend(picture, drawing.system_marks(looks, plot.baseline), min(4, len(looks)))


def _points(rows: pl.DataFrame) -> pl.DataFrame:
    """setup, system, low, high, value, queries: weighted by queries, for the systems with most pairs of each setup."""
    rows = rows.with_columns(pairs=pl.struct(PAIR).n_unique().over("setup", "system"))
    complete = rows.filter(pl.col("pairs") == pl.col("pairs").max().over("setup"))
    seeds = complete.group_by("setup", "system", *PAIR, *BIN, maintain_order=True)
    means = seeds.agg(pl.col("value").mean(), pl.col("queries").max()).filter(pl.col("queries") > 0)
    weighted = (pl.col("value") * pl.col("queries")).sum() / pl.col("queries").sum()
    points = means.group_by("setup", "system", *BIN, maintain_order=True).agg(weighted, pl.col("queries").sum())
    return points.sort(pl.col("setup").cast(pl.Enum(list(SETUPS))), *BIN, maintain_order=True)


def _draw_panel(axis: Axes, points: pl.DataFrame, looks: drawing.Looks) -> None:
    axis.set_title(SETUPS[points["setup"][0]].replace(": ", "\n"), fontsize=8.5)
    axis.grid(axis="y")
    bins = {row[:2]: row[2] for row in points.select(*BIN, "queries").sort(BIN, maintain_order=True).iter_rows()}
    labels = [f"{100 * low:.3g}–{100 * high:.3g}%\nn={queries:,}" for (low, high), queries in bins.items()]
    axis.set_xticks(range(len(bins)), labels)
    axis.set_xlim(-0.4, len(bins) - 0.6)
    axis.tick_params(labelsize=7.5, labelleft=True, color=drawing.INK)
    for system, look in looks.items():
        line = points.filter(system=system)
        places = [list(bins).index(row) for row in line.select(BIN).iter_rows()]
        axis.plot(places, line["value"], **{"linewidth": 1.4, "markersize": 4.5, **look})
