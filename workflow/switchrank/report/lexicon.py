"""The picture of lexicon quality: precision at 1 and 5 and coverage of every lexicon and pair."""

from pathlib import Path

import polars as pl
from matplotlib.axes import Axes

from switchrank.core.errors import UserError
from switchrank.core.languages import Languages
from switchrank.formats.tables import QUALITY, read_table
from switchrank.report.drawing import COLOURS, FAINT, INK, MUTED, Looks, draw_rows, drawn, legend, mark

ENGLISH = Languages()
MEASURES: Looks = {
    "coverage": {"color": INK, "marker": "|", "markersize": 12, "markeredgewidth": 1.8, "label": "coverage"},
    "p_at_5": {"color": COLOURS[1], "marker": "D", "markersize": 5, "label": "P@5"},
    "p_at_1": {"color": COLOURS[0], "marker": "o", "markersize": 6, "label": "P@1"},
}


def lexicon_picture(*, quality: str | Path, out: str | Path, languages: Languages = ENGLISH) -> None:
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
    keys = frame.select("src", "tgt", "gold").unique(maintain_order=True).rows()
    keys.sort(key=lambda key: (languages.place(key[0]), languages.place(key[1]), key))
    several = frame["gold"].n_unique() > 1
    rows = {
        (src, tgt, gold): f"{languages.starred(src)}-{languages.starred(tgt)}" + (f" ({gold})" if several else "")
        for src, tgt, gold in keys
    }
    columns = min(3, len(lexicons))
    lines = -(-len(lexicons) // columns)
    title, size = "Lexicon quality: P@1, P@5 and coverage", (1.2 + 2.7 * columns, lines * (0.7 + 0.3 * len(rows)) + 0.4)
    with drawn(out, title, *size) as picture:
        axes = picture.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flatten()
        for axis, name in zip(axes, lexicons, strict=False):
            _draw_lexicon(axis, frame.filter(pl.col("lexicon") == name), name, rows)
        for axis in axes[len(lexicons) :]:
            axis.set_visible(False)
        legend(picture, [mark(linestyle="none", **look) for look in reversed(MEASURES.values())], 3)
        unseen = {*frame["src"], *frame["tgt"]} & set(languages.unseen)
        picture.supxlabel("share of gold words" + ("; * unseen in training" if unseen else ""), fontsize=9)


def _draw_lexicon(axis: Axes, frame: pl.DataFrame, name: str, rows: dict[tuple[str, str, str], str]) -> None:
    axis.set_title(name)
    axis.set_xlim(-0.02, 1.02)
    draw_rows(axis, list(rows.values()), ())
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    places = {key: row for row, key in enumerate(rows)}
    for line in frame.iter_rows(named=True):
        place = places[(line["src"], line["tgt"], line["gold"])]
        axis.plot([0, line["coverage"]], [place] * 2, color=FAINT, linewidth=3, solid_capstyle="butt", zorder=1)
        axis.plot([line["p_at_1"], line["p_at_5"]], [place] * 2, color=MUTED, linewidth=1.2, zorder=2)
        for column, look in MEASURES.items():
            axis.plot([line[column]], [place], linestyle="none", zorder=3, **look)
