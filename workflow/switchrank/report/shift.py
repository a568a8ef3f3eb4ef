"""The picture of language shift: how far a relevant passage falls when nothing but its language changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from switchrank.formats.tables import SHIFT, read_table
from switchrank.report.data import PAIR, REFERENCES, Languages, Pair, pairs_of, pick, with_pairs, write_numbers
from switchrank.report.drawing import (
    BAND,
    INK,
    dodge,
    draw_rows,
    figure,
    legend_entries,
    looks_among,
    row_height,
    save_svg,
)

LABEL = (
    "drop in score (logits) when the relevant passage is in the document\n"
    "language and not in the query's; 95% confidence interval over passages"
)
NORMAL = 1.959963984540054
"""Half-width of a 95% interval in standard errors."""


def shift_picture(
    *,
    shift: str | Path,
    testset: str,
    languages: Languages,
    out: str | Path,
    baseline: str = "zero-shot",
    systems: Sequence[str] = (),
    table: str | Path | None = None,
) -> None:
    """Write an SVG with one row per pair and one marker per system: the drop of a relevant passage's score.

    Bars are 95% confidence intervals of the mean over passages (normal, from ``drop_sd`` as the standard deviation
    over ``pairs`` passages). Seeds are averaged. Scores of two systems need not have the same scale: compare a drop
    with 0 and with the system's own other pairs first.

    Args:
        shift: tables/shift.csv.
        testset: name of the test set.
        languages: order of the rows, and which are unseen (``*``, shaded).
        out: the SVG.
        baseline: drawn in black.
        systems: all systems of the run in their order, so that colours agree between pictures.
        table: CSV to write the numbers of the picture to: testset, query_lang, doc_lang, system, drop, ci_low, ci_high,
            pairs.

    Raises:
        UserError: the table is missing or holds nothing of ``testset``.
    """
    rows = pick(read_table(shift, SHIFT), shift, testset=testset).filter(~pl.col("system").is_in(list(REFERENCES)))
    points = _points(rows)
    pairs = pairs_of(with_pairs(points, languages), languages)
    if table is not None:
        order = ["testset", *PAIR, "system", "drop", "ci_low", "ci_high", "pairs"]
        write_numbers(points.with_columns(testset=pl.lit(testset)).select(order), table)
    looks = looks_among(points["system"].unique(maintain_order=True).to_list(), systems, baseline)
    _draw(points, pairs, looks, baseline, testset, out)


def _points(rows: pl.DataFrame) -> pl.DataFrame:
    """Means over seeds, with the interval that passages leave: system, query_lang, doc_lang, drop, ci_low, ci_high."""
    variance = (pl.col("drop_sd") ** 2).mean()
    means = rows.group_by("system", *PAIR, maintain_order=True).agg(
        pl.col("drop").mean(), half=NORMAL * (variance / pl.col("pairs").mean()).sqrt(), pairs=pl.col("pairs").max()
    )
    return means.with_columns(ci_low=pl.col("drop") - pl.col("half"), ci_high=pl.col("drop") + pl.col("half"))


def _draw(
    points: pl.DataFrame,
    pairs: list[Pair],
    looks: dict[str, dict[str, Any]],
    baseline: str,
    testset: str,
    out: str | Path,
) -> None:
    with figure(6.2, len(pairs) * row_height(len(looks)) + 1.3) as picture:
        axis = picture.subplots()
        draw_rows(axis, [pair.label for pair in pairs], [pair.seen != "both" for pair in pairs])
        axis.axvline(0, color=INK, linewidth=0.9, zorder=1)
        places = {(pair.query, pair.document): row for row, pair in enumerate(pairs)}
        for turn, (system, look) in enumerate(looks.items()):
            _draw_system(axis, points.filter(pl.col("system") == system), places, dodge(turn, len(looks)), look)
        axis.set_xlabel(LABEL)
        axis.set_ylabel("query-document")
        entries: list[Any] = legend_entries(
            {name: {**look, "linewidth": 1.1} for name, look in looks.items()}, baseline
        )
        if any(pair.seen != "both" for pair in pairs):
            entries.append(Patch(color=BAND, label="* language unseen in training"))
        picture.legend(handles=entries, loc="outside upper left", ncols=3, fontsize=8)
        save_svg(picture, out, f"Score drop of relevant passages in another language on {testset}")


def _draw_system(
    axis: Axes, points: pl.DataFrame, places: dict[tuple[str, str], int], beside: float, look: dict[str, Any]
) -> None:
    """One path for all intervals: many small ones would triple the file."""
    heights = [places[query, document] + beside for query, document in points.select(PAIR).iter_rows()]
    ends = [end for low, high in points.select("ci_low", "ci_high").iter_rows() for end in (low, high, float("nan"))]
    axis.plot(ends, [y for y in heights for _ in range(3)], color=look["color"], linewidth=1.1, zorder=3)
    axis.plot(points["drop"], heights, **look, linestyle="none", markersize=4.5, zorder=4)
