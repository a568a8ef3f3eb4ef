"""The picture of lexicon quality: precision at 1 and 5 and coverage of every lexicon and pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from switchrank.core.errors import UserError
from switchrank.formats.tables import QUALITY, read_table
from switchrank.report.data import Languages, language_order, starred
from switchrank.report.drawing import COLOURS, FAINT, INK, MUTED, figure, save_svg

MEASURES: dict[str, dict[str, Any]] = {
    "coverage": {"color": INK, "marker": "|", "markersize": 12, "markeredgewidth": 1.8, "label": "coverage"},
    "p_at_5": {"color": COLOURS[1], "marker": "D", "markersize": 5, "label": "P@5"},
    "p_at_1": {"color": COLOURS[0], "marker": "o", "markersize": 6, "label": "P@1"},
}


def lexicon_picture(*, quality: str | Path, out: str | Path, languages: Languages | None = None) -> None:
    """Write an SVG with one panel per lexicon and one row per language pair (and gold lexicon, if several).

    P@k counts uncovered gold words as wrong, so coverage bounds it: the gap to the coverage mark is what the lexicon
    has and gets wrong.

    Args:
        quality: tables/lexicon_quality.csv.
        out: the SVG.
        languages: order of the rows, and which are unseen (``*``).

    Raises:
        UserError: the table is missing or empty.
    """
    frame = read_table(quality, QUALITY)
    if frame.is_empty():
        raise UserError(quality, "", "the table has no rows", "give the lexicon stage a gold lexicon to compare with")
    lexicons = frame["lexicon"].unique(maintain_order=True).to_list()
    rows = _rows(frame, languages)
    columns = min(3, len(lexicons))
    lines = -(-len(lexicons) // columns)
    with figure(1.2 + 2.7 * columns, lines * (0.7 + 0.3 * len(rows)) + 0.4) as picture:
        axes = picture.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flatten()
        for axis, name in zip(axes, lexicons, strict=False):
            _draw_lexicon(axis, frame.filter(pl.col("lexicon") == name), name, rows)
        for axis in axes[len(lexicons) :]:
            axis.set_visible(False)
        entries = [Line2D([], [], linestyle="none", **look) for look in reversed(MEASURES.values())]
        picture.legend(handles=entries, loc="outside upper left", ncols=3, fontsize=8)
        picture.supxlabel("share of gold words" + _star_note(frame, languages), fontsize=9)
        save_svg(picture, out, "Lexicon quality: P@1, P@5 and coverage")


def _rows(frame: pl.DataFrame, languages: Languages | None) -> dict[tuple[str, str, str], str]:
    """Row keys ``(src, tgt, gold)`` in drawing order, each with its label."""
    order = {} if languages is None else language_order(languages)
    unseen = set() if languages is None else set(languages.get("unseen", []))
    keys = frame.select("src", "tgt", "gold").unique(maintain_order=True).rows()
    last = len(order)
    keys.sort(key=lambda k: (order.get(k[0], last), order.get(k[1], last), k))
    several = frame["gold"].n_unique() > 1
    return {
        (src, tgt, gold): f"{starred(src, src in unseen)}-{starred(tgt, tgt in unseen)}"
        + (f" ({gold})" if several else "")
        for src, tgt, gold in keys
    }


def _draw_lexicon(axis: Axes, frame: pl.DataFrame, name: str, rows: dict[tuple[str, str, str], str]) -> None:
    axis.set_title(name)
    axis.set_xlim(-0.02, 1.02)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_yticks(range(len(rows)), list(rows.values()))
    axis.tick_params(axis="y", length=0)
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axis.grid(axis="x")
    axis.set_axisbelow(True)
    places = {key: row for row, key in enumerate(rows)}
    for line in frame.iter_rows(named=True):
        place = places[(line["src"], line["tgt"], line["gold"])]
        axis.plot([0, line["coverage"]], [place] * 2, color=FAINT, linewidth=3, solid_capstyle="butt", zorder=1)
        axis.plot([line["p_at_1"], line["p_at_5"]], [place] * 2, color=MUTED, linewidth=1.2, zorder=2)
        for column, look in MEASURES.items():
            axis.plot([line[column]], [place], linestyle="none", zorder=3, **look)


def _star_note(frame: pl.DataFrame, languages: Languages | None) -> str:
    unseen = set() if languages is None else set(languages.get("unseen", []))
    return "; * unseen in training" if unseen & {*frame["src"].to_list(), *frame["tgt"].to_list()} else ""
