"""The picture of the sweeps: the metric against one setting, and against what the setting did to the training data."""

from collections.abc import Callable, Sequence
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
class Line:
    """One system (or family of them) in one setup: ``mean`` has x, place, value, pairs and what was measured;
    ``pairs`` has query_lang and doc_lang in place of the number of pairs. Both are ordered by setting."""

    system: str
    setup: str
    mean: pl.DataFrame
    pairs: pl.DataFrame


@dataclass(frozen=True)
class Sweep:
    """One row of the picture; ``settings`` are the x in drawing order, ``measured`` the column of the right panel."""

    name: str
    settings: list[str]
    measured: str
    lines: list[Line]


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
    means = [
        line.mean.with_columns(sweep=pl.lit(one.name), system=pl.lit(line.system), setup=pl.lit(line.setup))
        for one in sweeps
        for line in one.lines
    ]
    plot.write(pl.concat(means), ["sweep", "system", "setup", "x", "value", "pairs", *MEASURED])
    _draw(sweeps, plot)


def _numbers(settings: Sequence[str]) -> list[float] | None:
    """The settings as numbers, or None when one of them is none."""
    try:
        return [float(setting) for setting in settings]
    except ValueError:
        return None


def _sweep(rows: pl.DataFrame, measured: str) -> Sweep:
    name = rows["sweep"][0]
    settings = rows["x"].unique(maintain_order=True).to_list()
    if (numbers := _numbers(settings)) is not None:
        settings = [setting for _, setting in sorted(zip(numbers, settings, strict=True))]
    counts = rows.group_by("system").agg(pl.col("x").n_unique())
    if counts["x"].max() == 1 and len(settings) > 1:
        rows = rows.with_columns(system=pl.lit(name))
    parts = [
        (system, setup, rows.filter(system=system, setup=setup))
        for system in rows["system"].unique(maintain_order=True)
        for setup in SETUPS
    ]
    lines = [_line(part, system, setup, settings) for system, setup, part in parts if len(part)]
    return Sweep(name, settings, measured, [line for line in lines if len(line.mean)])


def _line(rows: pl.DataFrame, system: str, setup: str, settings: list[str]) -> Line:
    """Means over seeds, of the pairs that have every setting of this line."""
    measures = [pl.col(name).mean() for name in ("value", *MEASURED)]
    pairs = rows.group_by("x", *PAIR, maintain_order=True).agg(measures)
    pairs = pairs.filter(pl.len().over(PAIR) == pairs["x"].n_unique())
    place = pl.col("x").replace_strict(settings, list(range(len(settings))), return_dtype=pl.Int64)
    pairs = pairs.with_columns(place=place).sort("place", maintain_order=True)
    mean = pairs.group_by("x", "place", maintain_order=True).agg(*measures, pairs=pl.len())
    return Line(system, setup, mean, pairs)


def _draw(sweeps: list[Sweep], plot: MetricPlot) -> None:
    looks = plot.looks(dict.fromkeys(line.system for one in sweeps for line in one.lines))
    with drawing.drawn(plot.out, f"{plot.title} by setting", 7.4, 0.9 + 2.35 * len(sweeps)) as picture:
        axes = picture.subplots(len(sweeps), 2, sharey="row", squeeze=False)
        for (left, right), one in zip(axes, sweeps, strict=True):
            _draw_settings(left, one, looks)
            left.set_title(f"Sweep {one.name}")
            left.set_ylabel(plot.metric.upper())
            right.set_visible(any(line.mean[one.measured].is_not_null().any() for line in one.lines))
            _draw_measured(right, one, looks)
        _legend(picture, sweeps, looks)


def _prepare(axis: Axes, label: str) -> None:
    axis.set_xlabel(label)
    axis.grid()
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=8, labelleft=True)


def _draw_settings(axis: Axes, one: Sweep, looks: drawing.Looks) -> None:
    _prepare(axis, f"setting of {one.name}")
    numbers = _numbers(one.settings)
    places = list(range(len(one.settings))) if numbers is None else numbers
    for line in one.lines:
        _draw_line(axis, line, looks[line.system], lambda frame: [places[at] for at in frame["place"]])
    if numbers is not None and min(numbers) > 0 and max(numbers) >= LOGARITHMIC * min(numbers):
        axis.set_xscale("log")
        axis.xaxis.set_minor_locator(NullLocator())
    if len(places) <= 9:
        tilt: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
        crowded = sum(len(setting) + 1 for setting in one.settings) > 45
        axis.set_xticks(places, one.settings, **(tilt if crowded else {}))
    if numbers is None:
        axis.set_xlim(-0.35, len(places) - 0.65)


def _draw_measured(axis: Axes, one: Sweep, looks: drawing.Looks) -> None:
    _prepare(axis, MEASURED[one.measured])
    for line in one.lines:
        known = [frame.drop_nulls(one.measured).sort(one.measured) for frame in (line.mean, line.pairs)]
        part = Line(line.system, line.setup, *known)
        _draw_line(axis, part, looks[line.system], lambda frame: frame[one.measured].to_list())


def _draw_line(axis: Axes, line: Line, look: dict[str, Any], places: Callable[[pl.DataFrame], list[float]]) -> None:
    """The mean bold with markers; single pairs as one thin path, with gaps between pairs."""
    style = SETUP_LOOKS[line.setup]
    pairs = line.pairs.partition_by(PAIR, maintain_order=True)
    if len(pairs) > 1:
        x = [place for pair in pairs for place in (*places(pair), float("nan"))]
        y = [value for pair in pairs for value in (*pair["value"].to_list(), float("nan"))]
        faint: dict[str, Any] = {"linewidth": 0.55, "alpha": 0.35 if len(pairs) <= MANY else 0.15, "zorder": 2}
        axis.plot(x, y, color=look["color"], linestyle=style["linestyle"], **faint)
    face = look["color"] if style["fill"] else "white"
    bold: dict[str, Any] = {"linewidth": 1.6, "markersize": 5, "markerfacecolor": face, "zorder": 4}
    axis.plot(places(line.mean), line.mean["value"], **look, linestyle=style["linestyle"], **bold)


def _legend(picture: Figure, sweeps: list[Sweep], looks: drawing.Looks) -> None:
    drawing.legend(picture, drawing.system_marks(looks), 3)
    lines = [line for one in sweeps for line in one.lines]
    dot: dict[str, Any] = {"color": drawing.INK, "marker": "o", "markersize": 4.5, "linewidth": 1.4}
    marks = []
    for setup, look in SETUP_LOOKS.items():
        if any(line.setup == setup for line in lines):
            face = drawing.INK if look["fill"] else "white"
            name = SETUPS[setup].partition(":")[0]
            marks.append(drawing.mark(name, markerfacecolor=face, linestyle=look["linestyle"], **dot))
    if any(line.pairs.select(PAIR).n_unique() > 1 for line in lines):
        marks.append(drawing.mark("thin: single pairs", color=drawing.MUTED, linewidth=0.6))
    drawing.legend(picture, marks, 2, right=True, handlelength=3.2)
