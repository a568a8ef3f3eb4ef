"""The picture of language bias: whether a system prefers documents in the query's own language, and how unevenly it
ranks the same document in different languages."""

from itertools import cycle
from pathlib import Path

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from switchrank.core.errors import UserError
from switchrank.core.languages import MIXED, Languages
from switchrank.formats.tables import BIAS, read_table
from switchrank.report import drawing
from switchrank.report.data import PAIR, Plot, pick, systems_of

SHARE, POOL = "own_language_top10", "own_language_pool"
MEASURES = {
    SHARE: (
        "Own language in the top 10",
        "share of documents in the query's language\n(tick: its share of all candidates)",
        3.4,
    ),
    "rank_distance": ("Rank distance", "ranks between best and\nworst language (0 is even)", 2.1),
    "max_rank": ("Worst rank", "rank of the relevant document in\nthe worst language (Max@R)", 2.1),
    "rankc": ("RankC", "agreement with queries in\nother languages (1 is even)", 2.1),
    "rank_correlation": ("Rank correlation", "Spearman's, with queries in\nother languages (1 is even)", 2.1),
}
"""Each measure's panel: its title, what its axis says, and its width in inches."""
AGREEMENT = ("rankc", "rank_correlation")
"""Measures that are at most 1."""


def bias_picture(*, bias: str | Path, languages: Languages, plot: Plot) -> None:
    """Write an SVG with one row per query language, one marker per system and one panel per measure that is there.

    The first panel compares the share of the query's own language in the top 10 with the tick, its share of the pool:
    right of the tick, a system prefers the query's language. Then come measures of ranks and of agreement. Values are
    means over seeds, and over document languages where a test set has no mixed pool. The numbers are testset, measure,
    query_lang, system, value.

    Args:
        bias: tables/bias.csv.
        languages: order of the rows, and which are unseen (``*``, shaded).
        plot: what is drawn, and where to.

    Raises:
        UserError: the table is missing or holds nothing of the test set, or none of the measures drawn.
    """
    rows = pick(read_table(bias, BIAS), bias, testset=plot.testset)
    mixed = rows.filter(doc_lang=MIXED)
    seeds = (mixed if len(mixed) else rows).group_by("system", *PAIR, "measure", maintain_order=True)
    means = seeds.agg(pl.col("value").mean()).group_by("system", "query_lang", "measure", maintain_order=True)
    values = means.agg(pl.col("value").mean())
    if not set(values["measure"]) & set(MEASURES):
        raise UserError(bias, "measure", f"none of {', '.join(MEASURES)}", "rerun evaluate")
    plot.write(values, ["measure", "query_lang", "system", "value"])
    trained, references = systems_of(values, plot.baseline)
    looks = plot.looks(trained)
    looks |= {name: {"color": drawing.MUTED, "marker": mark} for name, mark in zip(references, cycle("x+12"))}
    _draw(values, looks, languages, plot)


def _draw(values: pl.DataFrame, looks: drawing.Looks, languages: Languages, plot: Plot) -> None:
    present = [measure for measure in MEASURES if measure in set(values["measure"])]
    rows = languages.ordered(values["query_lang"])
    shown = [f"{code} (mixed)" if code == MIXED else languages.starred(code) for code in rows]
    titles, labels, widths = zip(*(MEASURES[measure] for measure in present), strict=True)
    size = max(4.6, 0.9 + sum(widths)), len(rows) * drawing.row_height(len(looks)) + 1.5
    with drawing.drawn(plot.out, f"Language bias on {plot.testset}", *size) as picture:
        grid = {"width_ratios": widths}
        axes = picture.subplots(1, len(present), sharey=True, squeeze=False, gridspec_kw=grid)[0]
        for axis, measure, title, label in zip(axes, present, titles, labels, strict=True):
            drawing.draw_rows(axis, shown, [code in languages.unseen for code in rows])
            axis.set_title(title)
            axis.set_xlabel(label, fontsize=8)
            _draw_measure(axis, values.filter(measure=measure), rows, looks)
        axes[0].set_ylabel("query language")
        pool = values.filter(measure=POOL)
        if present[0] == SHARE:
            # The mean over systems, which all rank the same candidates.
            shares = pool.group_by("query_lang", maintain_order=True).agg(pl.col("value").mean())
            for code, share in shares.iter_rows():
                ends = [rows.index(code) - 0.42, rows.index(code) + 0.42]
                axes[0].plot([share] * 2, ends, color=drawing.INK, linewidth=2, solid_capstyle="butt", zorder=3)
        named = {name: {"linestyle": "none", **look} for name, look in looks.items()}
        entries = drawing.system_marks(named, plot.baseline)
        if len(pool):
            tick = {"marker": "|", "markersize": 10, "markeredgewidth": 2, "linestyle": "none"}
            entries.append(drawing.mark("share of the pool", color=drawing.INK, **tick))
        if not set(rows).isdisjoint(languages.unseen):
            entries.append(drawing.mark(drawing.UNSEEN, linestyle="none"))
        drawing.legend(picture, entries, 4 if len(present) > 1 else 2)


def _draw_measure(axis: Axes, values: pl.DataFrame, rows: list[str], looks: drawing.Looks) -> None:
    row = pl.col("query_lang").replace_strict(rows, range(len(rows)))
    for system, own in drawing.dodged(values.with_columns(row=row), looks):
        axis.plot(own["value"], own["height"], **looks[system], linestyle="none", markersize=4.8, zorder=4)
    measure = values["measure"][0]
    if measure == SHARE:
        axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    largest = float(values["value"].to_numpy().max())
    smallest = float(values["value"].to_numpy().min())
    axis.set_xlim(min(0.0, 1.08 * smallest), 1.02 if measure in AGREEMENT else max(0.02, largest) * 1.08)
