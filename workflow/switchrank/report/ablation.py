"""The picture of the ablation: what labelled target-language queries add to each start, and what switching saves.

One column of panels per labelled language, one row per role that a test pair plays for it: the language itself, the
pairs across it and English, English alone (what is forgotten), pairs of other languages (what carries over).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from switchrank.formats.tables import ABLATION, read_table
from switchrank.report.ablation_points import (
    KEY,
    ROLES,
    Panel,
    drawn_points,
    panels_of,
    read_curve,
    read_needed,
    seed_means,
    write_points,
)
from switchrank.report.data import PAIR, Languages, language_order, ordered_languages, pick, starred
from switchrank.report.drawing import INK, MUTED, figure, legend_entries, looks_among, save_svg

UNTRAINED = "none"
LINE = 0.11
"""Height of a line of text in a panel, as a share of its y axis."""
DIGIT, GAP = 0.032, 0.02
"""Width of a digit of a tick label, and the gap between two labels, as shares of the x axis."""


@dataclass(frozen=True)
class Needed:
    """The start without labels that others are to reach, and the labels that they need.

    Attributes:
        equivalence: CSV of the labels a start needs to reach the reference; rows of other references are left out. A
            ring marks where a start reaches it, a line its interval (to the end of the axis where it is open), and a
            text says the number.
        reference: drawn without labels as a line.
    """

    equivalence: str | Path | None = None
    reference: str = "ml-cs"


UNTOLD = Needed()


def ablation_picture(
    *,
    ablation: str | Path,
    testset: str,
    languages: Languages,
    out: str | Path,
    needed: Needed = UNTOLD,
    curve: str | Path | None = None,
    baseline: str = "zero-shot",
    systems: Sequence[str] = (),
    metric: str = "mrr@10",
    table: str | Path | None = None,
) -> None:
    """Write an SVG of small multiples: the metric by number of labelled queries, one line per starting model.

    The axis is log2(1 + n), on which equivalences are interpolated too. The dashed line is ``reference`` without
    labels. Panels of several pairs show their mean, single pairs thin; those of one pair show the band of ``curve``,
    or, without one, every seed as a dot.

    Args:
        ablation: tables/ablation.csv.
        testset: name of the test set.
        languages: order, source language, and which are unseen (``*``).
        out: the SVG.
        needed: see :class:`Needed`.
        curve: CSV of means with a confidence band (:data:`switchrank.report.ablation_points.CURVE`, and ``testset`` if
            it has several).
        baseline: drawn in black.
        systems: all systems of the run in their order, so that colours agree between pictures.
        metric: which metric.
        table: CSV to write the numbers of the picture to: testset, metric, language, role, start, query_lang, doc_lang,
            examples, value, low, high; the panel of several pairs has ``mean`` in both language columns.

    Raises:
        UserError: a table is missing or holds nothing of ``testset`` and ``metric``, or the curve lacks a column.
    """
    rows = pick(read_table(ablation, ABLATION), ablation, testset=testset, metric=metric)
    points = seed_means(rows) if curve is None else read_curve(curve, testset, metric)
    reached = read_needed(needed.equivalence, testset, metric, needed.reference)
    panels = panels_of(points, reached, languages)
    if table is not None:
        write_points(panels, testset, metric, table)
    looks = looks_among(points["start"].unique(maintain_order=True).to_list(), systems, baseline)
    dots = rows.filter(pl.len().over(KEY) > 1) if curve is None else rows.clear()
    _draw(panels, dots, looks, needed.reference, languages, f"{metric.upper()} on {testset}", metric.upper(), out)


def _place(examples: Any) -> Any:
    """Where so many labelled queries stand on the axis."""
    return np.log2(1.0 + np.asarray(examples, dtype=np.float64))


def _draw(
    panels: list[Panel],
    dots: pl.DataFrame,
    looks: dict[str, dict[str, Any]],
    reference: str,
    languages: Languages,
    name: str,
    what: str,
    out: str | Path,
) -> None:
    roles = list(dict.fromkeys(panel.role for panel in panels))
    columns = ordered_languages([panel.language for panel in panels], languages)
    sizes = sorted({size for panel in panels for size in panel.points["examples"].to_list()})
    with figure(max(4.4, 0.9 + 2.35 * len(columns)), 0.9 + 1.85 * len(roles)) as picture:
        axes = picture.subplots(len(roles), len(columns), sharex=True, sharey="row", squeeze=False)
        for axis in axes.flatten():
            axis.set_visible(False)
        lines = dict.fromkeys(roles, 0)
        for panel in panels:
            column = columns.index(panel.language)
            axis = axes[roles.index(panel.role), column]
            axis.set_visible(True)
            _draw_panel(axis, panel, dots, looks, reference, languages)
            _draw_sizes(axis, sizes)
            lines[panel.role] = max(lines[panel.role], _draw_needed(axis, panel, looks))
            if not any(other.language in columns[:column] for other in panels if other.role == panel.role):
                role = ROLES[panel.role].format(source=languages["source"])
                axis.set_ylabel(f"{role}\n{what}")
                axis.tick_params(axis="y", labelleft=True)
        for row, role in enumerate(roles):
            _make_room(axes[row, 0], lines[role])
        picture.supxlabel("labelled queries in the language of the column", fontsize=9)
        _legend(picture, panels, dots, looks, reference, languages)
        save_svg(picture, out, f"{name} by number of labelled queries")


def _make_room(axis: Axes, lines: int) -> None:
    """Lengthen the y axis of a row downwards for so many lines of text; no value is there, so no tick is either."""
    bottom, top = axis.get_ylim()
    ticks = [tick for tick in axis.get_yticks() if bottom <= tick <= top]
    axis.set_ylim(bottom - (top - bottom) * LINE * lines, top)
    axis.set_yticks(ticks)


def _draw_panel(
    axis: Axes,
    panel: Panel,
    dots: pl.DataFrame,
    looks: dict[str, dict[str, Any]],
    reference: str,
    languages: Languages,
) -> None:
    axis.set_title(_title(panel, languages))
    axis.grid()
    axis.set_axisbelow(True)
    drawn = drawn_points(panel)
    for start, look in looks.items():
        line = drawn.filter(pl.col("start") == start)
        x = _place(line["examples"])
        banded = line.drop_nulls(["low", "high"])
        if len(banded):
            edges = {"color": look["color"], "alpha": 0.16, "linewidth": 0}
            axis.fill_between(_place(banded["examples"]), banded["low"], banded["high"], **edges, zorder=1)
        if len(panel.pairs) > 1:
            for pair in panel.points.filter(pl.col("start") == start).partition_by(PAIR, maintain_order=True):
                axis.plot(_place(pair["examples"]), pair["value"], color=look["color"], linewidth=0.6, alpha=0.4)
        else:
            seeds = dots.filter(pl.col("start") == start).join(line.select(KEY), on=KEY, how="semi")
            tiny: dict[str, Any] = {"marker": ".", "markersize": 3.5, "linestyle": "none", "alpha": 0.6, "zorder": 2}
            axis.plot(_place(seeds["examples"]), seeds["value"], color=look["color"], **tiny)
        axis.plot(x, line["value"], **look, linewidth=1.4, markersize=4, zorder=3)
    aim = drawn.filter((pl.col("start") == reference) & (pl.col("examples") == 0))
    if len(aim):
        colour = looks[reference]["color"]
        axis.axhline(aim["value"][0], color=colour, linewidth=1.1, linestyle=(0, (4, 2)), zorder=2.5)


def _title(panel: Panel, languages: Languages) -> str:
    unseen = set(languages.get("unseen", []))
    pairs = [f"{starred(q, q in unseen)}-{starred(d, d in unseen)}" for q, d in panel.pairs]
    label = starred(panel.language, panel.language in unseen)
    if panel.role in ("source", "others"):
        return f"{pairs[0] if len(pairs) == 1 else f'mean of {len(pairs)} pairs'}, labels in {label}"
    return pairs[0] if len(pairs) == 1 else f"mean of {len(pairs)} pairs with {label}"


def _draw_needed(axis: Axes, panel: Panel, looks: dict[str, dict[str, Any]]) -> int:
    """Rings where starts reach the reference, and the numbers as lines of text in the corner that rising curves leave
    free; returns how many lines there are. Nothing where labels teach another language, or where pairs are averaged."""
    lines: list[str] = []
    if len(panel.pairs) > 1 or panel.role in ("source", "others"):
        return 0
    for row in panel.needed.iter_rows(named=True):
        tried = panel.points.filter(pl.col("start") == row["start"])["examples"]
        if row["start"] not in looks or tried.is_empty():
            continue
        lines.append(_needed_text(row, int(tried.to_numpy().max())))
        colour = looks[row["start"]]["color"]
        end = _place(tried)[-1]
        if row["low"] is not None:
            right = end if row["high"] is None else _place(row["high"])
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
    name, needed = _label(row["start"]), row["examples"]
    if needed is None:
        return f"{name}: not within {most:,} labels"
    if needed == 0:
        return f"{name} needs no labels"
    number = f"{needed:,.0f}" if needed >= 0.5 else "<1"
    return f"{name} needs {number} label{'' if number in ('1', '<1') else 's'}"


def _label(start: str) -> str:
    return "untrained" if start == UNTRAINED else start


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


def _legend(
    picture: Any,
    panels: list[Panel],
    dots: pl.DataFrame,
    looks: dict[str, dict[str, Any]],
    reference: str,
    languages: Languages,
) -> None:
    entries: list[Line2D | Patch] = [*legend_entries({_label(start): look for start, look in looks.items()})]
    if reference in looks:
        style = {"color": looks[reference]["color"], "linestyle": (0, (4, 2)), "linewidth": 1.1}
        entries.append(Line2D([], [], **style, label=f"{reference} without labels"))
    if any(len(panel.needed) for panel in panels):
        ring: dict[str, Any] = {"marker": "o", "markersize": 8, "markerfacecolor": "none", "linestyle": "none"}
        entries.append(
            Line2D([], [], **ring, markeredgecolor=INK, label=f"reaches {reference} without labels; bar: 95% interval")
        )
    if any(panel.points["low"].is_not_null().any() for panel in panels):
        entries.append(Patch(color=MUTED, alpha=0.25, linewidth=0, label="95% confidence band"))
    if len(dots):
        dot: dict[str, Any] = {"marker": ".", "markersize": 4, "linestyle": "none", "color": MUTED}
        entries.append(Line2D([], [], **dot, label="single seeds"))
    if any(len(panel.pairs) > 1 for panel in panels):
        entries.append(Line2D([], [], color=MUTED, linewidth=0.6, label="single pairs"))
    if set(languages.get("unseen", [])) & set(language_order(languages)) & {panel.language for panel in panels}:
        entries.append(Line2D([], [], linestyle="none", label="* language unseen in training"))
    picture.legend(handles=entries, loc="outside upper left", ncols=3 if len(picture.axes) > 1 else 2, fontsize=8)
