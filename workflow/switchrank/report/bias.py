"""The picture of language bias: whether a system prefers documents in the query's own language, and how unevenly it
ranks the same document in different languages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from switchrank.core.errors import UserError
from switchrank.formats.tables import BIAS, read_table
from switchrank.report.data import (
    MIXED,
    PAIR,
    REFERENCES,
    Languages,
    ordered_languages,
    pick,
    starred,
    systems_of,
    write_numbers,
)
from switchrank.report.drawing import (
    INK,
    MUTED,
    dodge,
    draw_rows,
    figure,
    legend_entries,
    looks_among,
    row_height,
    save_svg,
)

POOL = "own_language_pool"
MEASURES = {
    "own_language_top10": "Own language in the top 10",
    "rank_distance": "Rank distance",
    "rankc": "RankC",
}
AXES = {
    "own_language_top10": "share of documents in the query's language\n(tick: its share of all candidates)",
    "rank_distance": "ranks between best and\nworst language (0 is even)",
    "rankc": "agreement with queries in\nother languages (1 is even)",
}
REFERENCE_MARKERS = ("x", "+", "1", "2")


def bias_picture(
    *,
    bias: str | Path,
    testset: str,
    languages: Languages,
    out: str | Path,
    baseline: str = "zero-shot",
    systems: Sequence[str] = (),
    table: str | Path | None = None,
) -> None:
    """Write an SVG with one row per query language, one marker per system and one panel per measure that is there.

    The first panel compares the share of the query's own language in the top 10 with the tick, its share of the pool:
    right of the tick, a system prefers the query's language. Then come rank distance and RankC. Values are means over
    seeds, and over document languages where a test set has no mixed pool.

    Args:
        bias: tables/bias.csv.
        testset: name of the test set.
        languages: order of the rows, and which are unseen (``*``, shaded).
        out: the SVG.
        baseline: drawn in black.
        systems: all systems of the run in their order, so that colours agree between pictures.
        table: CSV to write the numbers of the picture to: testset, measure, query_lang, system, value.

    Raises:
        UserError: the table is missing or holds nothing of ``testset``, or none of the measures drawn.
    """
    rows = pick(read_table(bias, BIAS), bias, testset=testset)
    values = _values(rows)
    present = [measure for measure in MEASURES if measure in set(values["measure"])]
    if not present:
        raise UserError(bias, "measure", f"none of {', '.join(MEASURES)}", "rerun evaluate")
    if table is not None:
        order = ["testset", "measure", "query_lang", "system", "value"]
        write_numbers(values.with_columns(testset=pl.lit(testset)).select(order), table)
    trained, shown = systems_of(values, baseline, REFERENCES)
    crosses = {name: REFERENCE_MARKERS[turn % len(REFERENCE_MARKERS)] for turn, name in enumerate(shown)}
    grey = {name: {"color": MUTED, "marker": marker} for name, marker in crosses.items()}
    looks = {**looks_among(trained, systems, baseline), **grey}
    _draw(values, present, looks, baseline, languages, testset, out)


def _values(rows: pl.DataFrame) -> pl.DataFrame:
    """system, query_lang, measure, value: means over seeds, of mixed pools alone where there are any."""
    mixed = rows.filter(pl.col("doc_lang") == MIXED)
    seeds = (mixed if len(mixed) else rows).group_by("system", *PAIR, "measure", maintain_order=True)
    means = seeds.agg(pl.col("value").mean()).group_by("system", "query_lang", "measure", maintain_order=True)
    return means.agg(pl.col("value").mean())


def _draw(
    values: pl.DataFrame,
    present: list[str],
    looks: dict[str, dict[str, Any]],
    baseline: str,
    languages: Languages,
    testset: str,
    out: str | Path,
) -> None:
    rows = ordered_languages(values["query_lang"], languages)
    unseen = set(languages.get("unseen", []))
    labels = [f"{code} (mixed)" if code == MIXED else starred(code, code in unseen) for code in rows]
    widths = [3.4 if measure == "own_language_top10" else 2.1 for measure in present]
    with figure(max(4.6, 0.9 + sum(widths)), len(rows) * row_height(len(looks)) + 1.5) as picture:
        grid = {"width_ratios": widths}
        axes = picture.subplots(1, len(present), sharey=True, squeeze=False, gridspec_kw=grid)[0]
        for axis, measure in zip(axes, present, strict=True):
            draw_rows(axis, labels, [code in unseen for code in rows])
            axis.set_title(MEASURES[measure])
            axis.set_xlabel(AXES[measure], fontsize=8)
            _draw_measure(axis, values.filter(pl.col("measure") == measure), rows, looks)
        axes[0].set_ylabel("query language")
        if present[0] == "own_language_top10":
            _draw_pool(axes[0], values.filter(pl.col("measure") == POOL), rows)
        _legend(picture, looks, baseline, POOL in set(values["measure"]), bool(unseen & set(rows)))
        save_svg(picture, out, f"Language bias on {testset}")


def _draw_measure(axis: Axes, values: pl.DataFrame, rows: list[str], looks: dict[str, dict[str, Any]]) -> None:
    for turn, (system, look) in enumerate(looks.items()):
        own = values.filter(pl.col("system") == system)
        heights = [rows.index(code) + dodge(turn, len(looks)) for code in own["query_lang"]]
        axis.plot(own["value"], heights, **look, linestyle="none", markersize=4.8, zorder=4)
    measure = values["measure"][0]
    if measure == "own_language_top10":
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    largest = float(values["value"].to_numpy().max())
    axis.set_xlim(0, 1.02 if measure == "rankc" else max(0.02, largest) * 1.08)


def _draw_pool(axis: Axes, pool: pl.DataFrame, rows: list[str]) -> None:
    """The share of the pool, one tick through each row (the mean over systems: they rank the same candidates)."""
    for code, share in pool.group_by("query_lang", maintain_order=True).agg(pl.col("value").mean()).iter_rows():
        row = rows.index(code)
        axis.plot([share, share], [row - 0.42, row + 0.42], color=INK, linewidth=2, solid_capstyle="butt", zorder=3)


def _legend(picture: Any, looks: dict[str, dict[str, Any]], baseline: str, pool: bool, unseen: bool) -> None:
    marks = {name: {"linestyle": "none", **look} for name, look in looks.items()}
    entries = legend_entries(marks, baseline)
    if pool:
        tick: dict[str, Any] = {"marker": "|", "markersize": 10, "markeredgewidth": 2, "linestyle": "none"}
        entries.append(Line2D([], [], color=INK, **tick, label="share of the pool"))
    if unseen:
        entries.append(Line2D([], [], linestyle="none", label="* language unseen in training"))
    picture.legend(handles=entries, loc="outside upper left", ncols=4 if len(picture.axes) > 1 else 2, fontsize=8)
