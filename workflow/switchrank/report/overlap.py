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
    rows = with_pairs(pick(read_table(overlap, OVERLAP), overlap, **plot.labels), languages)
    found = set(rows["setup"])
    points = pl.concat([_points(rows.filter(setup=setup), setup) for setup in SETUPS if setup in found])
    plot.write(points, ["setup", "system", *BIN, "value", "queries"])
    trained, references = systems_of(points, plot.baseline)
    _draw(points, plot.looks(trained) | drawing.reference_looks(references), plot)


def _points(rows: pl.DataFrame, setup: str) -> pl.DataFrame:
    """system, low, high, value, queries, setup: weighted by queries, for the systems with most pairs of the setup."""
    pairs = rows.group_by("system").agg(pl.struct(PAIR).n_unique().alias("pairs"))
    complete = pairs.filter(pl.col("pairs") == pl.col("pairs").max())["system"].to_list()
    seeds = rows.filter(pl.col("system").is_in(complete)).group_by("system", *PAIR, *BIN, maintain_order=True)
    means = seeds.agg(pl.col("value").mean(), pl.col("queries").max()).filter(pl.col("queries") > 0)
    weighted = (pl.col("value") * pl.col("queries")).sum() / pl.col("queries").sum()
    points = means.group_by("system", *BIN, maintain_order=True).agg(weighted, pl.col("queries").sum())
    return points.with_columns(setup=pl.lit(setup)).sort(BIN, maintain_order=True)


def _draw(points: pl.DataFrame, looks: drawing.Looks, plot: MetricPlot) -> None:
    setups = points["setup"].unique(maintain_order=True).to_list()
    widths = [0.62 * len(_bins(points.filter(setup=setup))) + 0.5 for setup in setups]
    stacked = sum(widths) > WIDEST
    width, height = (max(widths), 2.6 * len(setups)) if stacked else (sum(widths), 2.6)
    title = f"{plot.title} by word overlap of query and passage"
    with drawing.drawn(plot.out, title, max(4.6, width + 0.6), height + 0.9) as picture:
        grid: dict[str, Any] = {} if stacked else {"gridspec_kw": {"width_ratios": widths}}
        shape = (len(setups), 1) if stacked else (1, len(setups))
        axes = picture.subplots(*shape, sharey=True, squeeze=False, **grid).flatten()
        for axis, setup in zip(axes, setups, strict=True):
            _draw_panel(axis, points.filter(setup=setup), looks, setup)
        for axis in axes if stacked else axes[:1]:
            axis.set_ylabel(plot.metric.upper())
        axes[0].set_ylim(bottom=0)
        picture.supxlabel("share of the query's words that occur in a relevant passage; n: queries", fontsize=9)
        drawing.legend(picture, drawing.system_marks(looks, plot.baseline), min(4, len(looks)))


def _bins(points: pl.DataFrame) -> list[tuple[float, float]]:
    return points.select(BIN).unique().sort(BIN).rows()


def _draw_panel(axis: Axes, points: pl.DataFrame, looks: drawing.Looks, setup: str) -> None:
    axis.set_title(SETUPS[setup].replace(": ", "\n"), fontsize=8.5)
    axis.grid(axis="y")
    bins = _bins(points)
    counts = {tuple(row[:2]): row[2] for row in points.select(*BIN, "queries").iter_rows()}
    labels = [f"{100 * low:.3g}–{100 * high:.3g}%\nn={counts[low, high]:,}" for low, high in bins]
    axis.set_xticks(range(len(bins)), labels)
    axis.set_xlim(-0.4, len(bins) - 0.6)
    axis.tick_params(labelsize=7.5, labelleft=True, color=drawing.INK)
    for system, look in looks.items():
        line = points.filter(system=system)
        places = [bins.index(row) for row in line.select(BIN).iter_rows()]
        axis.plot(places, line["value"], **{"linewidth": 1.4, "markersize": 4.5, **look})
