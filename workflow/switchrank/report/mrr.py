"""The first picture: the metric of every pair and system with confidence intervals, one row per pair."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.languages import Languages
from switchrank.core.seeds import generator
from switchrank.formats.tables import METRICS, read_table
from switchrank.report import data, drawing
from switchrank.report.data import PAIR, MetricPlot, Pair

NUMBERS = ["setup", *PAIR, "seen", "system", "value", "ci_low", "ci_high"]
POINTS = dict.fromkeys(NUMBERS[:5], pl.String()) | dict.fromkeys(NUMBERS[5:], pl.Float64())
MEAN = "mean"
MEAN_TINT = "#d0d0d0"
DIGITS = 6


@dataclass(frozen=True)
class Panel:
    """One setup: its pairs and the points drawn.

    ``points`` has the columns :data:`NUMBERS`, the ``row`` of the panel, and ``significant``: whether the value differs
    from the baseline's. Rows of means have ``mean`` in both language columns and are not tested.
    """

    setup: str
    pairs: list[Pair]
    points: pl.DataFrame

    @property
    def labels(self) -> list[str]:
        return [pair.label for pair in self.pairs] + ([MEAN] if len(self.pairs) > 1 else [])


def mrr_picture(
    *,
    metrics: str | Path,
    per_query: str | Path,
    languages: Languages,
    plot: MetricPlot,
    significance: str | Path | None = None,
    leave_out: Sequence[str] = (),
    samples: int = 1000,
    seed: int = 1,
) -> None:
    """Write an SVG with pairs as rows, systems as points with 95% bootstrap intervals, setups as panels.

    Points are means over seeds; intervals come from :class:`Bootstrap` over queries. A filled marker differs
    significantly from the baseline, a hollow one does not; the baseline itself is filled. The mean row of a panel is
    drawn for systems that have all its pairs. Reference rankings are grey lines without an interval. The numbers are
    testset, metric, setup, query_lang, doc_lang, seen, system, value, ci_low, ci_high; mean rows have ``mean`` in both
    language columns.

    Args:
        metrics: tables/metrics.csv.
        per_query: tables/per_query.parquet.
        languages: order of the rows, and which are unseen.
        plot: what is drawn, and where to.
        significance: tables/significance.csv.
        leave_out: systems that are not drawn.
        samples: bootstrap resamples.
        seed: seed of the resamples.

    Raises:
        UserError: a table is missing or holds nothing of the test set and metric, or a trained system has no per-query
            values.
    """
    rows = data.pick(read_table(metrics, METRICS), metrics, **plot.labels)
    rows = rows.filter(~pl.col("system").is_in(list(leave_out)))
    bootstrap = Bootstrap(data.query_rows(per_query, plot), samples=samples, seed=seed)
    significant: set[tuple[str, str, str]] = set()
    if significance is not None:
        tested = data.gain_rows(significance, plot)
        significant = set(tested.filter("significant").select("system", *PAIR).iter_rows())
    panels = _panels(rows, languages, plot.baseline, bootstrap, significant)
    for panel in panels:
        bare = panel.points.filter(pl.col("ci_low").is_null(), ~pl.col("system").is_in(list(data.REFERENCES)))
        for system, row in bare.select("system", "row").iter_rows():
            place = f"{system} {panel.labels[row]}"
            raise UserError(per_query, place, "in the metrics but not in the per-query table", "rerun evaluate")
    plot.write(pl.concat([panel.points for panel in panels]), NUMBERS)
    _draw(panels, *data.systems_of(rows, plot.baseline), significance is not None, plot)


class Bootstrap:
    """Resampled means of every system and pair: a percentile bootstrap over queries, not over seeds.

    Each resample draws queries with replacement from all queries of the test set; every pair and system is averaged
    over the same draw, so that the interval of a mean over pairs respects that pairs share queries (Efron and
    Tibshirani 1993, chapter 13). ``rows`` are those of :func:`switchrank.report.data.query_rows`.
    """

    def __init__(self, rows: pl.DataFrame, *, samples: int = 1000, level: float = 0.95, seed: int = 1) -> None:
        size = rows["qid"].n_unique()
        draws = generator(seed, "report", "bootstrap").multinomial(size, [1 / size] * size, samples)
        weights = draws.astype(np.float64)
        self._tail = 50 * (1 - level)
        self._means: dict[tuple[Any, ...], NDArray[np.float64]] = {}
        places = rows.with_columns(place=pl.col("qid").rank("dense") - 1)
        for cell, group in places.group_by("system", *PAIR, maintain_order=True):
            columns = np.zeros((size, 2))
            columns[group["place"].to_numpy()] = np.column_stack([group["value"], np.ones(len(group))])
            totals = weights @ columns
            self._means[cell] = totals[:, 0] / np.maximum(totals[:, 1], 1.0)

    def interval(self, system: str, pairs: Sequence[Pair]) -> tuple[float, float] | None:
        """Bounds of the mean over ``pairs``, rounded to six digits; None when a pair has no per-query rows."""
        cells = [(system, pair.query, pair.document) for pair in pairs]
        if not cells or any(cell not in self._means for cell in cells):
            return None
        means = np.mean([self._means[cell] for cell in cells], axis=0)
        low, high = np.percentile(means, [self._tail, 100 - self._tail])
        return round(float(low), DIGITS), round(float(high), DIGITS)


def _panels(
    rows: pl.DataFrame,
    languages: Languages,
    baseline: str,
    bootstrap: Bootstrap,
    significant: set[tuple[str, str, str]],
) -> list[Panel]:
    means = rows.group_by("system", *PAIR, maintain_order=True).agg(pl.col("value").mean())
    values = {(system, query, document): value for system, query, document, value in means.iter_rows()}
    systems, references = data.systems_of(rows, baseline)
    pairs = data.pairs_of(rows, languages)
    panels = []
    for setup in dict.fromkeys(pair.setup for pair in pairs):
        own = [pair for pair in pairs if pair.setup == setup]
        groups = [([pair], pair.query, pair.document, pair.seen) for pair in own]
        if len(own) > 1:
            groups.append((own, MEAN, MEAN, ""))
        points = []
        for row, (group, *names) in enumerate(groups):
            for system in systems + references:
                found = [values[cell] for p in group if (cell := (system, p.query, p.document)) in values]
                if len(found) == len(group):
                    interval = bootstrap.interval(system, group) if system in systems else None
                    ends, mark = interval or (None, None), (system, *names[:2]) in significant
                    points.append((setup, *names, system, sum(found) / len(found), *ends, row, mark))
        schema = POINTS | {"row": pl.Int64(), "significant": pl.Boolean()}
        panels.append(Panel(setup, own, pl.DataFrame(points, schema=schema, orient="row")))
    return panels


def _draw(panels: list[Panel], systems: list[str], references: list[str], tested: bool, plot: MetricPlot) -> None:
    looks = plot.looks(systems)
    heights = [len(panel.labels) * drawing.row_height(len(systems)) + 0.35 for panel in panels]
    with drawing.drawn(plot.out, plot.title, 7.2, sum(heights) + 1.2) as picture:
        grid = {"height_ratios": heights, "hspace": 0.02}
        axes = picture.subplots(len(panels), 1, sharex=True, squeeze=False, gridspec_kw=grid)[:, 0]
        for axis, panel in zip(axes, panels, strict=True):
            _draw_panel(axis, panel, looks, references, plot.baseline if tested else None)
        axes[-1].set_xlabel(f"{plot.title}, 95% confidence interval over queries")
        ends = [end for panel in panels for end in panel.points.select(pl.coalesce("ci_high", "value")).to_series()]
        axes[0].set_xlim(left=0.0, right=max(0.02, *ends) * 1.03)
        names = drawing.system_marks(looks, plot.baseline)
        names += drawing.system_marks(drawing.reference_looks(references))
        drawing.legend(picture, names, 2, columnspacing=1.5)
        _explain_marks(picture, panels, plot.baseline if tested and len(looks) > 1 else None)


def _draw_panel(
    axis: Axes, panel: Panel, looks: drawing.Looks, references: list[str], compared_with: str | None
) -> None:
    axis.set_title(data.SETUPS.get(panel.setup, panel.setup))
    drawing.draw_rows(axis, panel.labels, [pair.seen != "both" for pair in panel.pairs])
    if len(panel.labels) > len(panel.pairs):
        axis.axhline(len(panel.pairs) - 0.5, color=drawing.MUTED, linewidth=0.9, zorder=0.6)
        axis.get_yticklabels()[-1].set_fontweight("bold")
    for name, points in drawing.dodged(panel.points, looks):
        _draw_system(axis, points, looks[name], len(panel.pairs), compared_with not in (None, name))
    for name, look in drawing.reference_looks(references).items():
        points = panel.points.filter(system=name)
        values = [part for value in points["value"] for part in (value, value, float("nan"))]
        heights = [height for row in points["row"] for height in (row - 0.4, row + 0.4, float("nan"))]
        axis.plot(values, heights, **look, zorder=2)


def _draw_system(axis: Axes, points: pl.DataFrame, look: dict[str, Any], mean_row: int, tested: bool) -> None:
    """Intervals in one path and each kind of marker in another: many small paths would triple the file."""
    drawing.draw_intervals(axis, points, look["color"], solid_capstyle="butt")
    compared, marked, mean = pl.lit(tested), pl.col("significant"), pl.col("row") == mean_row
    faces = {look["color"]: ~compared | marked, "white": compared & ~marked & ~mean, MEAN_TINT: compared & mean}
    for face, kind in faces.items():
        some = points.filter(kind)
        style: dict[str, Any] = {"markerfacecolor": face, "markersize": 4.2, "linestyle": "none", "zorder": 4}
        axis.plot(some["value"], some["height"], **look, **style)


def _explain_marks(picture: Figure, panels: list[Panel], compared_with: str | None) -> None:
    marks: list[Artist] = []
    if compared_with is not None:
        faces = {f"filled: differs significantly from {compared_with}": drawing.INK, "hollow: does not": "white"}
        if any(len(panel.labels) > len(panel.pairs) for panel in panels):
            faces["grey: mean over pairs, not tested"] = MEAN_TINT
        outline: dict[str, Any] = {"marker": "s", "linestyle": "none", "markersize": 5, "markeredgecolor": drawing.INK}
        marks += [drawing.mark(label, markerfacecolor=face, **outline) for label, face in faces.items()]
    if any(pair.seen != "both" for panel in panels for pair in panel.pairs):
        marks.append(Patch(color=drawing.BAND, label=drawing.UNSEEN))
    if marks:
        drawing.legend(picture, marks, 1, right=True)
