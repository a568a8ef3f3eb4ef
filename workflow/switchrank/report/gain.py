"""The heat map: gain of one system over the baseline, query language by document language."""

from itertools import product
from pathlib import Path
from typing import Any

import matplotlib as mpl
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize

from switchrank.core.languages import Languages, starred
from switchrank.formats.tables import METRICS, read_table
from switchrank.report.data import PAIR, REFERENCES, MetricPlot, gain_rows, pick, unseen_in
from switchrank.report.drawing import INK, MUTED, draw_matrix, drawn

DAGGER = "†"
MAP = "RdBu"
HEADROOM = 1.15
"""The ends of the map are near black: the largest difference stays short of them."""


def gain_heatmap(
    *,
    metrics: str | Path,
    significance: str | Path,
    system: str,
    languages: Languages,
    plot: MetricPlot,
) -> None:
    """Write an SVG heat map of ``system`` minus ``baseline``; blue is a gain, red a loss, white none.

    Rows are query languages, columns document languages, source and seen languages first, ``*`` marks unseen ones.
    A cell holds the difference, a dagger when it is significant after correction, and below it the system's value.
    Pairs without a value are hatched. All systems of a test set share one colour range (the largest absolute
    difference of any, references left out), so that their maps can be compared.

    Args:
        metrics: tables/metrics.csv.
        significance: tables/significance.csv.
        system: the system whose gain is drawn.
        languages: their order, and which are unseen.
        plot: what is drawn, and where to.

    Raises:
        UserError: a table is missing or holds no row of the test set, metric, baseline or ``system``.
    """
    gains = gain_rows(significance, plot)
    pairs = pick(gains, significance, system=system)
    compared = gains.filter(~pl.col("system").is_in(list(REFERENCES)))
    largest = max([0.01, *compared["delta"].abs().to_list()])
    rows = pick(read_table(metrics, METRICS), metrics, **plot.labels)
    unseen = unseen_in(rows)
    queries, documents = (languages.ordered(pairs[side]) for side in PAIR)
    size = 1.9 + 0.72 * len(documents), 1.5 + 0.5 * len(queries)
    with drawn(plot.out, f"{system} minus {plot.baseline}: {plot.title}", *size) as picture:
        axis = picture.subplots()
        norm, colours = Normalize(-HEADROOM * largest, HEADROOM * largest), mpl.colormaps[MAP]
        _draw_cells(axis, pairs, queries, documents, norm, colours)
        axis.set_xticks(range(len(documents)), [starred(code, code in unseen) for code in documents])
        axis.set_yticks(range(len(queries)), [starred(code, code in unseen) for code in queries])
        axis.set_xlabel("document language")
        axis.set_ylabel("query language")
        axis.set_title(f"{system} − {plot.baseline}\n{plot.title}")
        bar = picture.colorbar(mpl.cm.ScalarMappable(norm, colours), ax=axis, fraction=0.06, pad=0.03, aspect=14)
        ticks = [-largest, -largest / 2, 0.0, largest / 2, largest]
        bar.set_ticks(ticks, labels=[signed(tick) for tick in ticks])
        bar.ax.tick_params(labelsize=8)
        bar.set_label(f"gain in {plot.metric.upper()}")
        bar.outline.set_visible(False)  # type: ignore[operator]
        empty = len(pairs.unique(PAIR)) < len(queries) * len(documents)
        _draw_notes(axis, pairs, empty, bool(unseen & {*queries, *documents}))


def _draw_cells(
    axis: Axes, pairs: pl.DataFrame, queries: list[str], documents: list[str], norm: Normalize, colours: Colormap
) -> None:
    cells = {(row["query_lang"], row["doc_lang"]): row for row in pairs.iter_rows(named=True)}
    draw_matrix(axis, queries, documents, {pair: colours(norm(cell["delta"])) for pair, cell in cells.items()})
    for (y, query), (x, document) in product(enumerate(queries), enumerate(documents)):
        cell = cells.get((query, document))
        if cell is not None:
            ink = "white" if abs(norm(cell["delta"]) - 0.5) > 0.33 else INK
            dagger, weight = (DAGGER, "bold") if cell["significant"] else ("", "normal")
            place: dict[str, Any] = {"ha": "center", "color": ink}
            axis.text(x, y, signed(cell["delta"]) + dagger, va="bottom", fontsize=8.5, fontweight=weight, **place)
            axis.text(x, y + 0.06, f"{cell['value']:.3f}", va="top", fontsize=6.5, **place)


def signed(value: float) -> str:
    """A difference with its sign and three digits; zero has none: ``+0.051``, ``−0.003``, ``0.000``."""
    text = f"{abs(value):.3f}"
    return text if float(text) == 0 else ("+" if value > 0 else "−") + text


def _draw_notes(axis: Axes, pairs: pl.DataFrame, empty: bool, unseen: bool) -> None:
    correction = pairs["correction"][0]
    after = "" if correction in ("", "none") else f" after {correction} correction"
    notes = {
        f"{DAGGER} significant{after}": pairs["significant"].any(),
        "small: value of the system": True,
        "* unseen in training": unseen,
        "hatched: no such pair": empty,
    }
    place = (0, 0), (0, -32), "axes fraction", "offset points"
    shown = "\n".join(note for note, holds in notes.items() if holds)
    axis.annotate(shown, *place, va="top", fontsize=7.5, color=MUTED)
