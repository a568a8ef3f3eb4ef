"""The first picture: the metric of every pair and system with confidence intervals, one row per pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from switchrank.core.errors import UserError
from switchrank.report.data import (
    REFERENCES,
    SETUPS,
    Languages,
    Pair,
    gain_rows,
    metric_rows,
    pairs_of,
    query_rows,
    systems_of,
    write_numbers,
)
from switchrank.report.drawing import (
    BAND,
    INK,
    MUTED,
    dodge,
    draw_rows,
    figure,
    legend_entries,
    reference_looks,
    row_height,
    save_svg,
    system_looks,
)
from switchrank.report.intervals import Bootstrap

MEAN = "mean"
MEAN_TINT = "#d0d0d0"


@dataclass(frozen=True)
class Panel:
    """One setup: its pairs and, as rows of dicts, the points drawn."""

    setup: str
    pairs: list[Pair]
    points: list[dict[str, Any]]

    @property
    def labels(self) -> list[str]:
        return [pair.label for pair in self.pairs] + ([MEAN] if len(self.pairs) > 1 else [])


@dataclass(frozen=True)
class Points:
    """Which points are drawn, and what their intervals are made of.

    Attributes:
        leave_out: systems that are not drawn.
        samples: bootstrap resamples.
        seed: seed of the resamples.
    """

    leave_out: Sequence[str] = ()
    samples: int = 1000
    seed: int = 1


USUAL = Points()


def mrr_picture(
    *,
    metrics: str | Path,
    per_query: str | Path,
    testset: str,
    languages: Languages,
    out: str | Path,
    significance: str | Path | None = None,
    metric: str = "mrr@10",
    baseline: str = "zero-shot",
    table: str | Path | None = None,
    points: Points = USUAL,
) -> None:
    """Write an SVG with pairs as rows, systems as points with 95% bootstrap intervals, setups as panels.

    Points are the METRICS values averaged over seeds; intervals come from :class:`Bootstrap` over queries. A filled
    marker differs significantly from ``baseline`` in the SIGNIFICANCE table, a hollow one does not; the baseline itself
    is filled. The mean row of a panel is drawn for systems that have all its pairs. Reference rankings are grey lines
    without an interval.

    Args:
        metrics: tables/metrics.csv.
        per_query: tables/per_query.parquet.
        testset: name of the test set.
        languages: order of the rows, and which are unseen.
        out: the SVG.
        significance: tables/significance.csv.
        metric: which metric.
        baseline: system compared with.
        table: CSV to write the numbers of the picture to: testset, metric, setup, query_lang, doc_lang, seen, system,
            value, ci_low, ci_high; mean rows have ``mean`` in both language columns.
        points: see :class:`Points`.

    Raises:
        UserError: a table is missing or holds nothing of ``testset`` and ``metric``, or a trained system has no
            per-query values.
    """
    rows = metric_rows(metrics, testset, metric).filter(~pl.col("system").is_in(list(points.leave_out)))
    bootstrap = Bootstrap(query_rows(per_query, testset, metric), samples=points.samples, seed=points.seed)
    systems, shown = systems_of(rows, baseline, REFERENCES)
    tested = None if significance is None else gain_rows(significance, testset, metric, baseline)
    panels = _panels(rows, languages, systems, shown, bootstrap, _significant(tested))
    _need_intervals(panels, systems, per_query)
    if table is not None:
        _write_numbers(panels, testset, metric, table)
    _draw(panels, systems, shown, baseline, testset, metric, tested is not None, out)


def _significant(tested: pl.DataFrame | None) -> set[tuple[str, str, str]]:
    if tested is None:
        return set()
    return set(tested.filter("significant").select("system", "query_lang", "doc_lang").iter_rows())


def _panels(
    rows: pl.DataFrame,
    languages: Languages,
    systems: list[str],
    shown: list[str],
    bootstrap: Bootstrap,
    significant: set[tuple[str, str, str]],
) -> list[Panel]:
    means = rows.group_by("system", "query_lang", "doc_lang", maintain_order=True).agg(pl.col("value").mean())
    values = {(system, query, document): value for system, query, document, value in means.iter_rows()}
    pairs = pairs_of(rows, languages)
    panels = []
    for setup in dict.fromkeys(pair.setup for pair in pairs):
        panel = Panel(setup, [pair for pair in pairs if pair.setup == setup], [])
        for row in range(len(panel.labels)):
            group = panel.pairs[row : row + 1] or panel.pairs
            for system in systems + shown:
                found = [values[cell] for p in group if (cell := (system, p.query, p.document)) in values]
                if len(found) == len(group):
                    interval = bootstrap.interval(system, group) if system in systems else None
                    mark = len(group) == 1 and (system, group[0].query, group[0].document) in significant
                    value = sum(found) / len(found)
                    point = {"row": row, "system": system, "value": value, "interval": interval, "filled": mark}
                    panel.points.append(point)
        panels.append(panel)
    return panels


def _need_intervals(panels: list[Panel], systems: list[str], per_query: str | Path) -> None:
    for panel in panels:
        for point in panel.points:
            if point["system"] in systems and point["interval"] is None:
                place = f"{point['system']} {panel.labels[point['row']]}"
                raise UserError(per_query, place, "in the metrics but not in the per-query table", "rerun evaluate")


def _write_numbers(panels: list[Panel], testset: str, metric: str, table: str | Path) -> None:
    numbers = []
    for panel in panels:
        for point in panel.points:
            pair = panel.pairs[point["row"]] if point["row"] < len(panel.pairs) else Pair(MEAN, MEAN, panel.setup, "")
            low, high = point["interval"] or (None, None)
            row = {"testset": testset, "metric": metric, "setup": panel.setup}
            row |= {"query_lang": pair.query, "doc_lang": pair.document, "seen": pair.seen, "system": point["system"]}
            numbers.append({**row, "value": point["value"], "ci_low": low, "ci_high": high})
    floats = {"value": pl.Float64, "ci_low": pl.Float64, "ci_high": pl.Float64}
    write_numbers(pl.DataFrame(numbers, schema_overrides=floats, infer_schema_length=None), table)


def _draw(
    panels: list[Panel],
    systems: list[str],
    shown: list[str],
    baseline: str,
    testset: str,
    metric: str,
    tested: bool,
    out: str | Path,
) -> None:
    looks = system_looks(systems, baseline)
    heights = [len(panel.labels) * row_height(len(systems)) + 0.35 for panel in panels]
    name = f"{metric.upper()} on {testset}"
    with figure(7.2, sum(heights) + 1.2) as picture:
        grid = {"height_ratios": heights, "hspace": 0.02}
        axes = picture.subplots(len(panels), 1, sharex=True, squeeze=False, gridspec_kw=grid)[:, 0]
        for axis, panel in zip(axes, panels, strict=True):
            _draw_panel(axis, panel, looks, shown, baseline, tested)
        axes[-1].set_xlabel(f"{name}, 95% confidence interval over queries")
        axes[0].set_xlim(left=0.0, right=_right_end(panels))
        _legend(picture, panels, looks, shown, baseline, tested)
        save_svg(picture, out, name)


def _right_end(panels: list[Panel]) -> float:
    tops = [float((point["interval"] or (0.0, point["value"]))[1]) for panel in panels for point in panel.points]
    return max(0.02, *tops) * 1.03


def _draw_panel(
    axis: Axes, panel: Panel, looks: dict[str, dict[str, Any]], shown: list[str], baseline: str, tested: bool
) -> None:
    axis.set_title(SETUPS.get(panel.setup, panel.setup))
    draw_rows(axis, panel.labels, [pair.seen != "both" for pair in panel.pairs])
    if len(panel.labels) > len(panel.pairs):
        axis.axhline(len(panel.pairs) - 0.5, color=MUTED, linewidth=0.9, zorder=0.6)
        axis.get_yticklabels()[-1].set_fontweight("bold")
    for turn, name in enumerate(looks):
        shift = dodge(turn, len(looks))
        points = [point for point in panel.points if point["system"] == name]
        _draw_system(axis, points, shift, looks[name], len(panel.pairs), tested and name != baseline)
    for name, look in reference_looks(shown).items():
        _draw_reference(axis, [point for point in panel.points if point["system"] == name], look)


def _draw_system(
    axis: Axes, points: list[dict[str, Any]], shift: float, look: dict[str, Any], mean_row: int, tested: bool
) -> None:
    """One path for all intervals and one per kind of marker: many small paths would triple the file."""
    bounds = [bound for point in points for bound in (*point["interval"], float("nan"))]
    heights = [height for point in points for height in (point["row"] + shift,) * 3]
    axis.plot(bounds, heights, color=look["color"], linewidth=1.1, solid_capstyle="butt", zorder=3)
    faces = {"filled": look["color"], "hollow": "white", "untested": MEAN_TINT}
    for kind, face in faces.items():
        some = [point for point in points if tested and kind == _kind(point, mean_row)]
        some = points if not tested and kind == "filled" else some
        style: dict[str, Any] = {"markerfacecolor": face, "markersize": 4.2, "linestyle": "none", "zorder": 4}
        axis.plot([point["value"] for point in some], [point["row"] + shift for point in some], **look, **style)


def _kind(point: dict[str, Any], mean_row: int) -> str:
    if point["row"] == mean_row:
        return "untested"
    return "filled" if point["filled"] else "hollow"


def _draw_reference(axis: Axes, points: list[dict[str, Any]], look: dict[str, Any]) -> None:
    values = [value for point in points for value in (point["value"], point["value"], float("nan"))]
    heights = [height for point in points for height in (point["row"] - 0.4, point["row"] + 0.4, float("nan"))]
    axis.plot(values, heights, **look, zorder=2)


def _legend(
    picture: Figure,
    panels: list[Panel],
    looks: dict[str, dict[str, Any]],
    shown: list[str],
    baseline: str,
    tested: bool,
) -> None:
    names = legend_entries(looks, baseline) + legend_entries(reference_looks(shown))
    marks: list[Line2D | Patch] = []
    if tested and len(looks) > 1:
        faces = {f"filled: differs significantly from {baseline}": INK, "hollow: does not": "white"}
        if any(len(panel.labels) > len(panel.pairs) for panel in panels):
            faces["grey: mean over pairs, not tested"] = MEAN_TINT
        outline: dict[str, Any] = {"marker": "s", "linestyle": "none", "markersize": 5, "markeredgecolor": INK}
        marks += [Line2D([], [], markerfacecolor=face, label=label, **outline) for label, face in faces.items()]
    if any(pair.seen != "both" for panel in panels for pair in panel.pairs):
        marks.append(Patch(color=BAND, label="* language unseen in training"))
    picture.legend(handles=names, loc="outside upper left", ncols=2, fontsize=8, columnspacing=1.5)
    if marks:
        picture.legend(handles=marks, loc="outside upper right", fontsize=8)
