"""The look of all pictures: one style, colour-blind safe colours with a marker each, SVG whose bytes repeat.

Colours are those of Okabe and Ito (2008, "Color Universal Design") without yellow, which is faint on white. Text stays
text (searchable, small files) with a list of fall-back fonts; ids in the SVG come from a fixed salt and
no date is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib.style
from matplotlib.figure import Figure

from switchrank.atomic import atomic_path

INK, MUTED, FAINT, BAND = "#1a1a1a", "#767676", "#d9d9d9", "#f1efe6"
BASELINE_COLOUR = "#1a1a1a"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("s", "^", "D", "v", "P", "X", "<", ">", "p")
STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Helvetica", "Arial", "sans-serif"],
    "font.size": 9.0,
    "text.color": INK,
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


@contextmanager
def figure(width: float, height: float) -> Iterator[Figure]:
    """A figure of ``width`` x ``height`` inches in our style, untouched by the user's own matplotlib settings."""
    with matplotlib.style.context(["default", STYLE]):
        yield Figure(figsize=(width, height), layout="constrained")


def save_svg(picture: Figure, out: str | Path, title: str) -> None:
    """Write ``picture`` atomically to ``out``; ``title`` becomes the SVG's accessible name."""
    with atomic_path(out) as temporary:
        picture.savefig(
            temporary,
            format="svg",
            facecolor="white",
            bbox_inches="tight",
            pad_inches=0.08,
            metadata={"Title": title, "Date": None, "Creator": None},
        )


def system_looks(systems: Sequence[str], baseline: str) -> dict[str, dict[str, Any]]:
    """``{"color", "marker"}`` of each system: the baseline black and round, the others in turn."""
    looks = {}
    others = [name for name in systems if name != baseline]
    for name in systems:
        turn = others.index(name) if name != baseline else -1
        looks[name] = {
            "color": BASELINE_COLOUR if turn < 0 else COLOURS[turn % len(COLOURS)],
            "marker": "o" if turn < 0 else MARKERS[turn % len(MARKERS)],
        }
    return looks
