"""The picture of language shift: how far a relevant passage falls when nothing but its language changes."""

from pathlib import Path

import polars as pl
from matplotlib.patches import Patch

from switchrank.core.languages import Languages
from switchrank.formats.tables import SHIFT, read_table
from switchrank.report import drawing
from switchrank.report.data import PAIR, REFERENCES, Plot, pairs_of, with_pairs

LABEL = (
    "drop in score (logits) when the relevant passage is in the document\n"
    "language and not in the query's; 95% confidence interval over passages"
)
NOTHING = "No passage was scored in two languages for the same query."
NORMAL = 1.959963984540054
"""Half-width of a 95% interval in standard errors."""


def shift_picture(*, shift: str | Path, languages: Languages, plot: Plot) -> None:
    """Write an SVG with one row per pair and one marker per system: the drop of a relevant passage's score.

    Bars are 95% confidence intervals of the mean over passages (normal, from ``drop_sd`` as the standard deviation
    over ``pairs`` passages). Seeds are averaged. Scores of two systems need not have the same scale: compare a drop
    with 0 and with the system's own other pairs first. The numbers are testset, query_lang, doc_lang, system, drop,
    ci_low, ci_high, pairs. Where the table has no row of the test set, the picture says why and has no axes.

    Args:
        shift: tables/shift.csv.
        languages: order of the rows, and which are unseen (``*``, shaded).
        plot: what is drawn, and where to.

    Raises:
        UserError: the table is missing.
    """
    table = read_table(shift, SHIFT)
    rows = table.filter(pl.col("testset") == plot.testset, ~pl.col("system").is_in(list(REFERENCES)))
    error = ((pl.col("drop_sd") ** 2).mean() / pl.col("pairs").mean()).sqrt()
    means = rows.group_by("system", *PAIR, maintain_order=True).agg(
        pl.col("drop").mean(), half=NORMAL * error, pairs=pl.col("pairs").max()
    )
    points = means.with_columns(ci_low=pl.col("drop") - pl.col("half"), ci_high=pl.col("drop") + pl.col("half"))
    plot.write(points, [*PAIR, "system", "drop", "ci_low", "ci_high", "pairs"])
    title = f"Score drop of relevant passages in another language on {plot.testset}"
    if rows.is_empty():
        drawing.write_note(plot.out, title, NOTHING)
        return
    pairs = pairs_of(with_pairs(points, languages), languages)
    looks = plot.looks(points["system"].unique(maintain_order=True))
    with drawing.drawn(plot.out, title, 6.2, len(pairs) * drawing.row_height(len(looks)) + 1.3) as picture:
        axis = picture.subplots()
        drawing.draw_rows(axis, [pair.label for pair in pairs], [pair.seen != "both" for pair in pairs])
        axis.axvline(0, color=drawing.INK, linewidth=0.9, zorder=1)
        places = pl.DataFrame([(pair.query, pair.document) for pair in pairs], PAIR, orient="row").with_row_index("row")
        for system, own in drawing.dodged(points.join(places, on=PAIR, maintain_order="left"), looks):
            drawing.draw_intervals(axis, own, looks[system]["color"])
            axis.plot(own["drop"], own["height"], **looks[system], linestyle="none", markersize=4.5, zorder=4)
        axis.set_xlabel(LABEL)
        axis.set_ylabel("query-document")
        entries = drawing.system_marks(looks, plot.baseline)
        if any(pair.seen != "both" for pair in pairs):
            entries.append(Patch(color=drawing.BAND, label=drawing.UNSEEN))
        drawing.legend(picture, entries, 3)
