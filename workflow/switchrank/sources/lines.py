"""Lines of text on their way into tables: what is read waits on disk in numbered files, until all of it is known.

Parallel text (:mod:`switchrank.sources.bitext`) and texts of one language (:mod:`switchrank.sources.texts`) become a
part to train on and a part held out; each line in neither is counted under its reason.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.collections.frames import frames, sink
from switchrank.core.errors import UserError
from switchrank.formats.tables import Schema
from switchrank.sources.bitext.files import PARTS


def check_held_out(place: str | Path, held_out: float) -> None:
    """Raise UserError unless this is a number of lines, or a share of them below 1."""
    if held_out < 0 or (held_out > 1 and held_out != int(held_out)):
        raise UserError(place, "held_out", f"{held_out:g}", "write a number of lines, or a share below 1")


def check_letters(file: str | Path, language: str, strange: int, lines: int, todo: str) -> None:
    """Raise UserError where most of the lines are ``strange``, in letters of other languages."""
    if 2 * strange > lines:
        problem = f"{strange:,} of {lines:,} lines are not in the letters of {language}"
        raise UserError(file, "", problem, todo)


def spill(rows: Iterable[tuple[Any, ...]], schema: Schema, folder: Path, seen: Callable[[pl.DataFrame], None]) -> None:
    """Write rows to numbered files in a new folder; each frame of them is ``seen`` on the way."""
    folder.mkdir()
    for number, frame in enumerate(frames(rows, schema)):
        seen(frame)
        frame.write_parquet(folder / f"{number}.parquet", compression="lz4")


def spilled(folder: Path) -> list[Path]:
    """The files of :func:`spill`, in the order of their rows."""
    return sorted(folder.iterdir(), key=lambda file: int(file.stem))


def divide(
    waiting: Path, schema: Schema, role: Callable[[int, pl.DataFrame], NDArray[np.str_]], out: Path, held_out: float
) -> Counter[str]:
    """Write the table of each part, and count what becomes of all lines.

    Args:
        waiting: folder of :func:`spill`; its files go as they are read.
        schema: columns of the tables, a part of those that wait.
        role: the part of each row of a frame, or a reason to be in none, from the number of its first row on.
        out: folder of the tables.
        held_out: 0 where nothing is held out: then there is no table of it.
    """
    counts: Counter[str] = Counter()
    for part in PARTS:
        (waiting.parent / part).mkdir()
    start = 0
    for file in spilled(waiting):
        frame = pl.read_parquet(file)
        found = role(start, frame)
        start += len(frame)
        counts.update(found.tolist())
        for part in PARTS:
            frame.select(list(schema)).filter(found == part).write_parquet(waiting.parent / part / file.name)
        file.unlink()
    for part in PARTS if held_out else ("train",):
        sink(map(pl.read_parquet, spilled(waiting.parent / part)), schema, out / PARTS[part])
    return counts


def check_parts(file: str | Path, counts: Mapping[str, int], held_out: float, *, left: int, todo: str) -> None:
    """Tell what became of the lines; UserError if there is nothing to train on or to hold out.

    ``counts`` has ``lines``, the parts, and the lines in no part by reason; ``left`` could be in one.
    """
    lost = ", ".join(
        f"{count:,} {reason.replace('_', ' ')}"
        for reason, count in counts.items()
        if count and reason not in ("lines", *PARTS)
    )
    told = f"{counts['lines']:,} lines" + (f", left out: {lost}" if lost else "")
    if not left:
        raise UserError(file, "", f"no line is left of {told}", todo)
    if held_out and (not counts["train"] or counts["held_out"] < max(1, int(held_out))):
        problem = f"{counts['held_out']:,} of {left:,} lines would be held out, {counts['train']:,} left to train on"
        raise UserError(file, "held_out", problem, "hold out another number or share of them")
    print(f"{file}: {told}; {counts['train']:,} train, {counts['held_out']:,} held out", file=sys.stderr)
