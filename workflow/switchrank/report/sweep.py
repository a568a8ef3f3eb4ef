"""The picture of the sweeps: the metric against one setting, and against what the setting did to the training data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from switchrank.formats.tables import SWEEP, read_table
from switchrank.report import drawing
from switchrank.report.data import PAIR, SETUPS, MetricPlot, pick

DOSE = "degrade"
"""The sweep whose dose is the quality of its lexicon, not the share of switched words."""
MEASURED = {"switched": "measured share of switched words", "p_at_1": "P@1 of the lexicon"}
SETUP_LOOKS: drawing.Looks = {
    "moir": {"linestyle": "solid", "fill": True},
    "clir": {"linestyle": (0, (4, 2)), "fill": False},
    "mlir": {"linestyle": (0, (1.2, 1.4)), "fill": False},
}
MANY = 8
"""More single pairs than this are drawn fainter."""
LOGARITHMIC = 50
"""A positive setting whose largest value is at least so many times the smallest is drawn on a logarithmic axis."""


@dataclass(frozen=True)
class Sweep:
    """One row of the picture.

    Attributes:
        settings: the x in drawing order.
        places: where they stand on the left axis: their numbers if all are ``numeric``, else 0, 1, 2...
        measured: the column of the right panel.
        single: system, setup, query_lang, doc_lang, x, place, value, switched, p_at_1, ordered by setting.
        means: the same over the pairs of each system and setup, of which there are ``pairs``.
    """

    name: str
    settings: list[str]
    places: list[float]
    numeric: bool
    measured: str
    single: pl.DataFrame
    means: pl.DataFrame


def sweep_picture(*, sweep: str | Path, plot: MetricPlot, dose: str = DOSE) -> None:
    """Write an SVG with two panels per sweep: the metric by setting, and by what that setting measurably did.

    Bold lines are means over the pairs of a setup and over seeds, thin ones single pairs; only pairs that were scored
    at every setting count, so that a line compares like with like. The left axis is numeric if all settings are
    numbers (logarithmic if they span a factor of 50), else categories in table order. The right axis is the measured
    share of switched words, or P@1 of the lexicon for the sweep named ``dose``: the dose-response curve. Without
    measurements there is no right panel. Where each setting has a system of its own, they are one line. The numbers are
    testset, metric, sweep, system, setup, x, value, pairs, switched, p_at_1.

    Args:
        sweep: tables/sweep.csv.
        plot: what is drawn, and where to.
        dose: the sweep drawn against P@1.

    Raises:
        UserError: the table is missing or holds nothing of the test set and metric.
    """
    rows = pick(read_table(sweep, SWEEP), sweep, **plot.labels)
    parts = rows.partition_by("sweep", maintain_order=True)
    sweeps = [_sweep(part, "p_at_1" if part["sweep"][0] == dose else "switched") for part in parts]
    means = pl.concat([one.means.with_columns(sweep=pl.lit(one.name)) for one in sweeps])
    plot.write(means, ["sweep", "system", "setup", "x", "value", "pairs", *MEASURED])
    looks = plot.looks([name for one in sweeps for name in one.means["system"]])
    with drawing.drawn(plot.out, f"{plot.title} by setting", 7.4, 0.9 + 2.35 * len(sweeps)) as picture:
        axes = picture.subplots(len(sweeps), 2, sharey="row", squeeze=False)
        for (left, right), one in zip(axes, sweeps, strict=True):
            _draw_lines(left, one, "place", looks)
            _draw_settings(left, one)
            left.set_title(f"Sweep {one.name}")
            left.set_ylabel(plot.metric.upper())
            right.set_visible(one.means[one.measured].is_not_null().any())
            right.set_xlabel(MEASURED[one.measured])
            _draw_lines(right, one, one.measured, looks)
        _legend(picture, sweeps, looks)


def _sweep(rows: pl.DataFrame, measured: str) -> Sweep:
    """Means over seeds, of the pairs that have every setting of their system and setup."""
    name = rows["sweep"][0]
    settings = rows["x"].unique(maintain_order=True).to_list()
    try:
        settings = sorted(settings, key=float)
        places, numeric = list(map(float, settings)), True
    except ValueError:
        places, numeric = list(map(float, range(len(settings)))), False
    if len(settings) > 1 and rows.select(pl.col("x").n_unique().over("system") == 1).to_series().all():
        rows = rows.with_columns(system=pl.lit(name))
    systems = rows["system"].unique(maintain_order=True).to_list()
    line = ["system", "setup"]
    measures = [pl.col(column).mean() for column in ("value", *MEASURED)]
    single = rows.group_by(*line, *PAIR, "x", maintain_order=True).agg(measures)
    single = single.filter(pl.len().over(*line, *PAIR) == pl.col("x").n_unique().over(line))
    orders = {"system": systems, "setup": list(SETUPS), "x": settings}
    ranks = [pl.col(column).cast(pl.Enum(order)) for column, order in orders.items()]
    place = pl.col("x").replace_strict(settings, places, return_dtype=pl.Float64)
    single = single.sort(ranks, maintain_order=True).with_columns(place=place)
    means = single.group_by(*line, "x", "place", maintain_order=True).agg(*measures, pairs=pl.len())
    return Sweep(name, settings, places, numeric, measured, single, means)


def _draw_settings(axis: Axes, one: Sweep) -> None:
    """The x axis of the left panel."""
    axis.set_xlabel(f"setting of {one.name}")
    places = one.places
    if one.numeric and min(places) > 0 and max(places) >= LOGARITHMIC * min(places):
        axis.set_xscale("log")
        axis.xaxis.set_minor_locator(NullLocator())
    if len(places) <= 9:
        tilt: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
        crowded = sum(len(setting) + 1 for setting in one.settings) > 45
        axis.set_xticks(places, one.settings, **(tilt if crowded else {}))
    if not one.numeric:
        axis.set_xlim(-0.35, len(places) - 0.65)


def _draw_lines(axis: Axes, one: Sweep, x: str, looks: drawing.Looks) -> None:
    """Means bold with markers; the single pairs of a line as one thin path, with gaps between pairs."""
    axis.grid()
    axis.tick_params(labelsize=8, labelleft=True)
    means, single = (frame.drop_nulls(x).sort(x, maintain_order=True) for frame in (one.means, one.single))
    for system, setup in one.means.select("system", "setup").unique(maintain_order=True).iter_rows():
        look, style = looks[system], SETUP_LOOKS[setup]
        line = means.filter(system=system, setup=setup)
        pairs = single.filter(system=system, setup=setup).partition_by(PAIR, maintain_order=True)
        if len(pairs) > 1:
            path = [row for pair in pairs for row in (*pair.select(x, "value").iter_rows(), (float("nan"),) * 2)]
            faint: dict[str, Any] = {"linewidth": 0.55, "alpha": 0.35 if len(pairs) <= MANY else 0.15, "zorder": 2}
            axis.plot(*zip(*path, strict=True), color=look["color"], linestyle=style["linestyle"], **faint)
        face = look["color"] if style["fill"] else "white"
        bold: dict[str, Any] = {"linewidth": 1.6, "markersize": 5, "markerfacecolor": face, "zorder": 4}
        axis.plot(line[x], line["value"], **look, linestyle=style["linestyle"], **bold)


def _legend(picture: Figure, sweeps: list[Sweep], looks: drawing.Looks) -> None:
    drawing.legend(picture, drawing.system_marks(looks), 3)
    means = pl.concat([one.means for one in sweeps])
    dot: dict[str, Any] = {"color": drawing.INK, "marker": "o", "markersize": 4.5, "linewidth": 1.4}
    marks = []
    for setup, look in SETUP_LOOKS.items():
        if setup in means["setup"]:
            face = drawing.INK if look["fill"] else "white"
            name = SETUPS[setup].partition(":")[0]
            marks.append(drawing.mark(name, markerfacecolor=face, linestyle=look["linestyle"], **dot))
    if (means["pairs"] > 1).any():
        marks.append(drawing.mark("thin: single pairs", color=drawing.MUTED, linewidth=0.6))
    drawing.legend(picture, marks, 2, right=True, handlelength=3.2)
