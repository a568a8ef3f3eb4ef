"""A metric by query and document language: one matrix for each system, all in the same colours."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize

from switchrank.core.languages import Languages, starred
from switchrank.formats.tables import METRICS, read_table
from switchrank.report.data import PAIR, MetricPlot, pick, systems_of, unseen_in
from switchrank.report.drawing import INK, MUTED, draw_matrix, drawn

MAP = "Blues"
HEADROOM = 0.25
"""By this share of the range the map begins below the smallest value, so that no field is as white as the paper."""
DARK = 0.72
"""From here on white letters have more contrast on the map than black ones."""
WIDE = 6
"""With more document languages there are two matrices beside each other, else three."""
Values = Mapping[tuple[str, str], float]


def matrix_picture(*, metrics: str | Path, languages: Languages, plot: MetricPlot) -> None:
    """Write an SVG with one matrix per system: rows are query languages, columns document languages.

    A field holds the mean over seeds; pairs without a value are hatched. Source and seen languages come first, ``*``
    marks unseen ones. Colours run from the smallest to the largest value of any trained system. Above a matrix stand
    the system's means over the pairs within a language and across two, for those that it ranks all of. The numbers are
    testset, metric, system, query_lang, doc_lang, value.

    Args:
        metrics: tables/metrics.csv.
        languages: their order.
        plot: what is drawn, and where to; where ``systems`` are named, no others are drawn but reference rows.

    Raises:
        UserError: the table is missing or holds no row of the test set and metric.
    """
    rows = pick(read_table(metrics, METRICS), metrics, **plot.labels)
    trained, references = systems_of(rows, plot.baseline)
    trained = [name for name in trained if name in (plot.systems or trained)]
    shown = pl.col("system").is_in([*trained, *references])
    means = rows.filter(shown).group_by("system", *PAIR, maintain_order=True).agg(pl.col("value").mean())
    plot.write(means, ["system", *PAIR, "value"])
    values: dict[str, dict[tuple[str, str], float]] = {system: {} for system in [*trained, *references]}
    for system, query, document, value in means.iter_rows():
        values[system][query, document] = value
    sides = [languages.ordered(rows[side]) for side in PAIR]
    scale = [value for system in trained or references for value in values[system].values()]
    _draw(values, sides, (min(scale), max(scale)), unseen_in(rows), plot)


def _draw(
    values: Mapping[str, Values],
    sides: Sequence[list[str]],
    ends: tuple[float, float],
    unseen: set[str],
    plot: MetricPlot,
) -> None:
    queries, documents = sides
    beside = min(len(values), 2 if len(documents) > WIDE else 3)
    below = math.ceil(len(values) / beside)
    size = beside * (0.9 + 0.5 * len(documents)) + 0.9, below * (0.85 + 0.36 * len(queries)) + 0.5
    norm = Normalize(ends[0] - HEADROOM * max(ends[1] - ends[0], 0.01), ends[1], clip=True)
    colours = mpl.colormaps[MAP]
    pairs = {pair for own in values.values() for pair in own}
    with drawn(plot.out, f"{plot.title} by query and document language", *size) as picture:
        axes = picture.subplots(below, beside, squeeze=False)
        for axis, (system, own) in zip(axes.flat, values.items(), strict=False):
            _draw_system(axis, own, sides, norm, colours)
            axis.set_title("\n".join([system, *filter(None, [_means(own, pairs)])]), fontsize=8.5)
            axis.set_xticks(range(len(documents)), [starred(code, code in unseen) for code in documents])
            axis.set_yticks(range(len(queries)), [starred(code, code in unseen) for code in queries])
        for axis in axes.flat[len(values) :]:
            axis.set_visible(False)
        axes[0, 0].set_ylabel("query language")
        axes[-1, 0].set_xlabel("document language")
        bar = picture.colorbar(mpl.cm.ScalarMappable(norm, colours), ax=axes, fraction=0.04, pad=0.02, aspect=24)
        bar.ax.tick_params(labelsize=8)
        bar.set_label(plot.title)
        bar.outline.set_visible(False)  # type: ignore[operator]
        notes = {
            "* unseen in training": not unseen.isdisjoint({*queries, *documents}),
            "hatched: no such pair": any(len(own) < len(queries) * len(documents) for own in values.values()),
        }
        said = ", ".join(note for note, holds in notes.items() if holds)
        picture.supxlabel(said, x=0, ha="left", fontsize=7.5, color=MUTED)


def _draw_system(axis: Axes, own: Values, sides: Sequence[list[str]], norm: Normalize, colours: Colormap) -> None:
    queries, documents = sides
    draw_matrix(axis, queries, documents, {pair: colours(norm(value)) for pair, value in own.items()})
    for (query, document), value in own.items():
        ink = "white" if norm(value) > DARK else INK
        place = documents.index(document), queries.index(query)
        axis.text(*place, f"{value:.3f}", ha="center", va="center", fontsize=7, color=ink)


def _means(own: Values, pairs: set[tuple[str, str]]) -> str:
    """Means within a language and across two, each for a system that has all such pairs."""
    said = []
    for what, group in (
        ("within a language", [pair for pair in pairs if pair[0] == pair[1]]),
        ("across two", [pair for pair in pairs if pair[0] != pair[1]]),
    ):
        if group and own.keys() >= set(group):
            said.append(f"{what} {math.fsum(own[pair] for pair in group) / len(group):.3f}")
    return ", ".join(said)
