"""The look of all pictures: one style, colour-blind safe colours with a marker each, SVG whose bytes repeat.

Colours are those of Okabe and Ito (2008, "Color Universal Design") without yellow, which is faint on white. Text stays
text (searchable, small files) with a list of fall-back fonts; ids in the SVG come from a fixed salt and
no date is written.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle, product
from pathlib import Path
from typing import Any, Literal

import matplotlib.style
import polars as pl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from switchrank.core.atomic import atomic_path

INK, MUTED, FAINT, BAND = "#1a1a1a", "#767676", "#d9d9d9", "#f1efe6"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
UNSEEN = "* language unseen in training"
REFERENCE_LINES: tuple[Any, ...] = ("solid", (0, (1.2, 1.2)), (0, (3, 1)), (0, (3, 1, 1, 1)))
MARKERS = ("s", "^", "D", "v", "P", "X", "<", ">", "p")
STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Helvetica", "Arial", "sans-serif"],
    "font.size": 9.0,
    "text.color": INK,
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "hatch.color": "#b0b0b0",
    "hatch.linewidth": 0.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "switchrank",
}


Looks = dict[str, dict[str, Any]]
"""Colour, marker and line of each system."""


@contextmanager
def drawn(out: str | Path, title: str, width: float, height: float) -> Iterator[Figure]:
    """A figure of ``width`` x ``height`` inches in our style, whatever the user's own matplotlib settings; it is
    written atomically to ``out`` as SVG once it is complete, with ``title`` as its accessible name."""
    with matplotlib.style.context(["default", STYLE]):
        picture = Figure(figsize=(width, height), layout="constrained")
        yield picture
        with atomic_path(out) as temporary:
            picture.savefig(
                temporary,
                format="svg",
                facecolor="white",
                bbox_inches="tight",
                pad_inches=0.08,
                metadata={"Title": title, "Date": None, "Creator": None},
            )


def write_note(out: str | Path, title: str, note: str) -> None:
    """Write a picture that says why there is nothing to draw."""
    with drawn(out, title, 6.2, 0.9) as picture:
        picture.suptitle(title)
        picture.text(0.5, 0.3, note, ha="center")


def system_looks(systems: Sequence[str], baseline: str) -> Looks:
    """``{"color", "marker"}`` of each system: the baseline black and round, the others in turn."""
    turns = zip((name for name in systems if name != baseline), cycle(COLOURS), cycle(MARKERS))
    looks = {name: {"color": colour, "marker": marker} for name, colour, marker in turns}
    looks[baseline] = {"color": INK, "marker": "o"}
    return {name: looks[name] for name in systems}


def reference_looks(shown: Sequence[str]) -> Looks:
    """Grey lines, a dash pattern each, for reference rows that are no trained system."""
    turns = zip(shown, cycle(REFERENCE_LINES))
    return {name: {"color": MUTED, "linestyle": dash, "linewidth": 1.3} for name, dash in turns}


def mark(label: str, **look: Any) -> Line2D:
    """A legend entry that looks like a line or a marker of the picture."""
    return Line2D([], [], label=label, **look)


def system_marks(looks: Looks, baseline: str = "") -> list[Artist]:
    """One legend entry per system; the baseline, where named, is called so, reference rows by their grey."""
    entries: list[Artist] = []
    for name, look in looks.items():
        note = " (baseline)" if name == baseline else " (reference)" if look["color"] == MUTED else ""
        entries.append(mark(name + note, **{"linewidth": 1.1, "markersize": 5, **look}))
    return entries


def legend(picture: Figure, entries: Sequence[Artist], columns: int, *, right: bool = False, **more: Any) -> None:
    """A legend above the panels."""
    loc: Literal["outside upper right", "outside upper left"] = "outside upper right" if right else "outside upper left"
    picture.legend(handles=entries, loc=loc, ncols=columns, fontsize=8, **more)


def draw_rows(axis: Axes, labels: Sequence[str], shaded: Sequence[bool]) -> None:
    """Prepare ``axis`` for one row per label, the first on top, with a line between rows.

    ``shaded`` says for each row whether it has a band; rows beyond it (a mean, say) have neither band nor line.
    """
    axis.set_ylim(len(labels) - 0.5, -0.5)
    axis.set_yticks(range(len(labels)), labels)
    axis.tick_params(axis="y", length=0)
    axis.tick_params(axis="x", labelbottom=True, labelsize=8)
    axis.grid(axis="x")
    for row, band in enumerate(shaded):
        if band:
            axis.axhspan(row - 0.5, row + 0.5, color=BAND, linewidth=0, zorder=0)
        if row:
            axis.axhline(row - 0.5, color=FAINT, linewidth=0.6, zorder=0.5)


def draw_matrix(
    axis: Axes, rows: Sequence[str], columns: Sequence[str], colours: Mapping[tuple[str, str], Any]
) -> None:
    """Prepare ``axis`` for a matrix, its first row on top: fields by row and column, hatched where they have no
    colour."""
    axis.set_xlim(-0.5, len(columns) - 0.5)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_aspect(0.72)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    for (y, row), (x, column) in product(enumerate(rows), enumerate(columns)):
        colour = colours.get((row, column))
        look = {"facecolor": "white", "hatch": "////"} if colour is None else {"facecolor": colour}
        axis.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, edgecolor="white", linewidth=1.5, **look))


def dodged(points: pl.DataFrame, looks: Looks) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each system and its points, with the ``height`` that they are drawn at: beside the middle of their ``row``."""
    for turn, system in enumerate(looks):
        beside = (turn - (len(looks) - 1) / 2) * 0.76 / len(looks)
        yield system, points.filter(system=system).with_columns(height=pl.col("row") + beside)


def row_height(systems: int) -> float:
    """Inches of a row that holds markers of so many systems."""
    return max(0.26, 0.066 * systems + 0.12)


def draw_intervals(axis: Axes, points: pl.DataFrame, colour: str, **style: Any) -> None:
    """Bars from ci_low to ci_high of dodged points, all in one path: many small ones would triple the file."""
    ends = [end for row in points.select("ci_low", "ci_high").iter_rows() for end in (*row, float("nan"))]
    heights = [height for height in points["height"] for _ in range(3)]
    axis.plot(ends, heights, color=colour, linewidth=1.1, zorder=3, **style)
