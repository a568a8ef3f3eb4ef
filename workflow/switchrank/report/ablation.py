"""The picture of the ablation: what labelled target-language queries add to each start, and what switching saves.

One column of panels per labelled language, one row per role that a test pair plays for it: the language itself, the
pairs across it and English, English alone (what is forgotten), pairs of other languages (what carries over).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from switchrank.core.errors import UserError
from switchrank.core.languages import Languages
from switchrank.formats.tables import ABLATION, CURVE, EQUIVALENCE, read_table
from switchrank.report.data import PAIR, MetricPlot, pick
from switchrank.report.drawing import INK, MUTED, UNSEEN, Looks, drawn, legend, mark, system_marks

ROLES = {
    "same": "same language",
    "document": "{source} queries",
    "query": "{source} documents",
    "across": "other pairs of it",
    "source": "{source} only",
    "others": "other languages",
}
KEY = ["start", "language", *PAIR, "examples"]


@dataclass(frozen=True)
class Panel:
    """One language and role: its test pairs, and the frames of their points and equivalences."""

    language: str
    role: str
    points: pl.DataFrame
    needed: pl.DataFrame

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return sorted(self.points.select(PAIR).unique().rows())

    def means(self) -> pl.DataFrame:
        """The main lines: a single pair's points, or means over the pairs that have the start and size, all or none."""
        if len(self.pairs) == 1:
            return self.points
        complete = self.points.filter(pl.len().over("start", "examples") == len(self.pairs))
        means = _means(complete, ["start", "language", "examples", "role"])
        return means.with_columns(query_lang=pl.lit("mean"), doc_lang=pl.lit("mean")).select(self.points.columns)


def _means(points: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Means over what the keys leave open, without a band: keys, value, low, high."""
    nothing = pl.lit(None, dtype=pl.Float64)
    return points.group_by(keys, maintain_order=True).agg(pl.col("value").mean(), low=nothing, high=nothing)


def _read_curve(path: str | Path, testset: str, metric: str) -> pl.DataFrame:
    """Points of curves (KEY, value, low, high) from a table like CURVE, in which the test set and the numbers of
    queries and seeds may be missing; other columns are passed over."""
    if not Path(path).is_file():
        raise UserError(path, "", "no such file", "run the stage that makes it, or correct the path")
    needed = {name: dtype for name, dtype in CURVE.items() if name not in ("testset", "queries", "seeds")}
    try:
        frame = pl.read_csv(path, infer_schema_length=None)
        missing = [name for name in needed if name not in frame.columns]
        if missing:
            raise UserError(path, "columns", f"no {missing[0]}", f"expected {', '.join(needed)}")
        frame = frame.with_columns([pl.col(name).cast(dtype) for name, dtype in needed.items()])
    except pl.exceptions.PolarsError as error:
        raise UserError(path, "", "not a readable table of curves", "delete it and rerun") from error
    wanted = {"testset": testset} if "testset" in frame.columns else {}
    return pick(frame, path, **wanted, metric=metric).select(*KEY, "value", "low", "high")


def _role(source: str) -> pl.Expr:
    """The role of a test pair for the labelled language, a key of :data:`ROLES`."""
    query, document, language = (pl.col(name) for name in (*PAIR, "language"))
    roles = {
        "same": (query == document) & (query == language),
        "source": (query == document) & (query == source),
        "document": (document == language) & (query == source),
        "query": (query == language) & (document == source),
        "across": (query != document) & ((query == language) | (document == language)),
    }
    return pl.coalesce([*(pl.when(holds).then(pl.lit(role)) for role, holds in roles.items()), pl.lit("others")])


def panels_of(points: pl.DataFrame, needed: pl.DataFrame, languages: Languages) -> list[Panel]:
    """Panels by role, then by language; only those with points."""
    points, needed = (frame.with_columns(role=_role(languages.source)) for frame in (points, needed))
    panels = []
    for role in ROLES:
        for language in languages.ordered(points["language"]):
            cell = {"role": role, "language": language}
            own = points.filter(**cell)
            if len(own):
                panels.append(Panel(language, role, own.sort("examples", maintain_order=True), needed.filter(**cell)))
    return panels


NAMES = {"none": "untrained"}
"""How legends call a start, where not by its own name."""
LINE = 0.11
"""Height of a line of text in a panel, as a share of its y axis."""
DIGIT, GAP = 0.032, 0.02
"""Width of a digit of a tick label, and the gap between two labels, as shares of the x axis."""
DASHES = (0, (4, 2))


def ablation_picture(
    *,
    ablation: str | Path,
    languages: Languages,
    plot: MetricPlot,
    curve: str | Path | None = None,
    equivalence: str | Path | None = None,
    reference: str = "ml-cs",
) -> None:
    """Write an SVG of small multiples: the metric by number of labelled queries, one line per starting model.

    The axis is log2(1 + n), on which equivalences are interpolated too. The dashed line is ``reference`` without
    labels. Panels of several pairs show their mean, single pairs thin; those of one pair show the band of ``curve``,
    or, without one, every seed as a dot. The numbers are testset, metric, language, role, start, query_lang, doc_lang,
    examples, value, low, high; the panel of several pairs has ``mean`` in both language columns.

    Args:
        ablation: tables/ablation.csv.
        languages: order, source language, and which are unseen (``*``).
        plot: what is drawn, and where to.
        curve: CSV of means with a confidence band (:data:`switchrank.formats.tables.CURVE`, and ``testset`` if it has
            several).
        equivalence: CSV of the labels a start needs to reach the reference; rows of other references are left out. A
            ring marks where a start reaches it, a line its interval (to the end of the axis where it is open), and a
            text says the number.
        reference: the start that others are to reach, drawn without labels as a line.

    Raises:
        UserError: a table is missing or holds nothing of the test set and metric, or the curve lacks a column.
    """
    rows = pick(read_table(ablation, ABLATION), ablation, **plot.labels)
    points = _means(rows, KEY) if curve is None else _read_curve(curve, plot.testset, plot.metric)
    reached = pl.DataFrame(schema=EQUIVALENCE)
    if equivalence is not None:
        reached = read_table(equivalence, EQUIVALENCE).filter(**plot.labels, reference=reference)
    panels = panels_of(points, reached, languages)
    means = pl.concat([panel.means() for panel in panels])
    plot.write(means, ["language", "role", "start", *PAIR, "examples", "value", "low", "high"])
    looks = plot.looks(points["start"].unique(maintain_order=True))
    dots = rows.filter(pl.len().over(KEY) > 1) if curve is None else rows.clear()
    _Multiples(panels, dots, looks, reference, languages).draw(plot)


def _place(examples: Any) -> Any:
    """Where so many labelled queries stand on the axis."""
    return np.log2(1.0 + np.asarray(examples, dtype=np.float64))


@dataclass(frozen=True)
class _Multiples:
    """What the panels share; ``dots`` are single seeds."""

    panels: list[Panel]
    dots: pl.DataFrame
    looks: Looks
    reference: str
    languages: Languages

    def draw(self, plot: MetricPlot) -> None:
        roles = list(dict.fromkeys(panel.role for panel in self.panels))
        columns = self.languages.ordered(panel.language for panel in self.panels)
        sizes = sorted({size for panel in self.panels for size in panel.points["examples"].to_list()})
        size = max(4.4, 0.9 + 2.35 * len(columns)), 0.9 + 1.85 * len(roles)
        with drawn(plot.out, f"{plot.title} by number of labelled queries", *size) as picture:
            axes = picture.subplots(len(roles), len(columns), sharex=True, sharey="row", squeeze=False)
            for axis in axes.flatten():
                axis.set_visible(False)
            lines = dict.fromkeys(roles, 0)
            for panel in self.panels:
                column = columns.index(panel.language)
                axis = axes[roles.index(panel.role), column]
                axis.set_visible(True)
                self._draw_panel(axis, panel)
                _draw_sizes(axis, sizes)
                lines[panel.role] = max(lines[panel.role], _draw_needed(axis, panel, self.looks))
                if not any(other.language in columns[:column] for other in self.panels if other.role == panel.role):
                    role = ROLES[panel.role].format(source=self.languages.source)
                    axis.set_ylabel(f"{role}\n{plot.metric.upper()}")
                    axis.tick_params(axis="y", labelleft=True)
            for row, role in enumerate(roles):
                # Room for the lines of text: no value is there, so no tick is either.
                bottom, top = axes[row, 0].get_ylim()
                ticks = [tick for tick in axes[row, 0].get_yticks() if bottom <= tick <= top]
                axes[row, 0].set_ylim(bottom - (top - bottom) * LINE * lines[role], top)
                axes[row, 0].set_yticks(ticks)
            picture.supxlabel("labelled queries in the language of the column", fontsize=9)
            self._draw_legend(picture)

    def _draw_panel(self, axis: Axes, panel: Panel) -> None:
        axis.set_title(self._title(panel))
        axis.grid()
        means = panel.means()
        for start, look in self.looks.items():
            line, colour = means.filter(start=start), look["color"]
            banded = line.drop_nulls(["low", "high"])
            if len(banded):
                edges = {"color": colour, "alpha": 0.16, "linewidth": 0}
                axis.fill_between(_place(banded["examples"]), banded["low"], banded["high"], **edges, zorder=1)
            if len(panel.pairs) > 1:
                for pair in panel.points.filter(start=start).partition_by(PAIR, maintain_order=True):
                    axis.plot(_place(pair["examples"]), pair["value"], color=colour, linewidth=0.6, alpha=0.4)
            else:
                seeds = self.dots.filter(start=start).join(line.select(KEY), on=KEY, how="semi")
                dot: dict[str, Any] = {"marker": ".", "markersize": 3.5, "linestyle": "none", "alpha": 0.6, "zorder": 2}
                axis.plot(_place(seeds["examples"]), seeds["value"], color=colour, **dot)
            axis.plot(_place(line["examples"]), line["value"], **look, linewidth=1.4, markersize=4, zorder=3)
        aim = means.filter(start=self.reference, examples=0)
        if len(aim):
            style: dict[str, Any] = {"linewidth": 1.1, "linestyle": DASHES, "zorder": 2.5}
            axis.axhline(aim["value"][0], color=self.looks[self.reference]["color"], **style)

    def _title(self, panel: Panel) -> str:
        starred = self.languages.starred
        query, document = panel.pairs[0]
        several = f"mean of {len(panel.pairs)} pairs" if len(panel.pairs) > 1 else ""
        pair, label = f"{starred(query)}-{starred(document)}", starred(panel.language)
        if panel.role in ("source", "others"):
            return f"{several or pair}, labels in {label}"
        return f"{several} with {label}" if several else pair

    def _draw_legend(self, picture: Figure) -> None:
        entries = system_marks({NAMES.get(start, start): look for start, look in self.looks.items()})
        if self.reference in self.looks:
            colour = self.looks[self.reference]["color"]
            entries.append(mark(f"{self.reference} without labels", color=colour, linestyle=DASHES, linewidth=1.1))
        ring = {"marker": "o", "markersize": 8, "markerfacecolor": "none", "linestyle": "none", "markeredgecolor": INK}
        reached = mark(f"reaches {self.reference} without labels; bar: 95% interval", **ring)
        band = Patch(color=MUTED, alpha=0.25, linewidth=0, label="95% confidence band")
        seeds = mark("single seeds", marker=".", markersize=4, linestyle="none", color=MUTED)
        explained = [
            (reached, any(len(panel.needed) for panel in self.panels)),
            (band, any(panel.points["low"].is_not_null().any() for panel in self.panels)),
            (seeds, len(self.dots) > 0),
            (mark("single pairs", color=MUTED, linewidth=0.6), any(len(panel.pairs) > 1 for panel in self.panels)),
            (mark(UNSEEN, linestyle="none"), any(panel.language in self.languages.unseen for panel in self.panels)),
        ]
        entries += [entry for entry, shown in explained if shown]
        legend(picture, entries, 3 if len(picture.axes) > 1 else 2)


def _draw_needed(axis: Axes, panel: Panel, looks: Looks) -> int:
    """Rings where starts reach the reference, and the numbers as lines of text in the corner that rising curves leave
    free; returns how many lines there are. Nothing where labels teach another language, or where pairs are averaged."""
    lines: list[str] = []
    if len(panel.pairs) > 1 or panel.role in ("source", "others"):
        return 0
    for row in panel.needed.iter_rows(named=True):
        tried = panel.points.filter(start=row["start"])["examples"]
        if row["start"] not in looks or tried.is_empty():
            continue
        lines.append(_needed_text(row, int(tried.to_numpy().max())))
        colour = looks[row["start"]]["color"]
        if row["low"] is not None:
            right = _place(tried)[-1] if row["high"] is None else _place(row["high"])
            style: dict[str, Any] = {"linewidth": 3.5, "alpha": 0.35, "solid_capstyle": "butt", "zorder": 2.8}
            axis.plot([_place(row["low"]), right], [row["reference_value"]] * 2, color=colour, **style)
        if row["examples"] is not None:
            ring: dict[str, Any] = {"marker": "o", "markersize": 9, "markerfacecolor": "none", "markeredgewidth": 1.5}
            axis.plot([_place(row["examples"])], [row["reference_value"]], markeredgecolor=colour, **ring, zorder=5)
    if lines:
        corner: dict[str, Any] = {"ha": "right", "va": "bottom", "fontsize": 7.5, "linespacing": 1.25}
        axis.text(0.99, 0.02, "\n".join(lines), transform=axis.transAxes, color=INK, zorder=6, **corner)
    return len(lines)


def _needed_text(row: dict[str, Any], most: int) -> str:
    name, needed = NAMES.get(row["start"], row["start"]), row["examples"]
    if needed is None:
        return f"{name}: not within {most:,} labels"
    if needed == 0:
        return f"{name} needs no labels"
    number = f"{needed:,.0f}" if needed >= 0.5 else "<1"
    return f"{name} needs {number} label{'' if number in ('1', '<1') else 's'}"


def _draw_sizes(axis: Axes, sizes: list[int]) -> None:
    """A tick for every size that was trained with, labelled where there is room; the first and the last always are."""
    places, labels = _place(sizes), [f"{size:,}" for size in sizes]

    def apart(one: int, other: int) -> bool:
        needed = DIGIT * (len(labels[one]) + len(labels[other])) / 2 + GAP
        return bool(places[other] - places[one] >= needed * max(places[-1], 1.0))

    last, labelled = len(sizes) - 1, [0]
    for at in range(1, last):
        if apart(labelled[-1], at) and apart(at, last):
            labelled.append(at)
    labelled += [last] if last else []
    axis.set_xticks(places[labelled], [labels[at] for at in labelled])
    axis.set_xticks(places, minor=True)
    axis.tick_params(axis="x", labelbottom=True, labelsize=7.5)
    axis.tick_params(axis="y", labelsize=8)
