"""Parallel text as tables of lines that translate each other: cleaned, each loss counted, a part of it held out."""

import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.collections.frames import frames, sink
from switchrank.core.atomic import atomic_folder, scratch_folder
from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.formats.tables import BITEXT
from switchrank.sources.bitext.aligned import read_aligned
from switchrank.sources.bitext.clean import Cleaner, Row
from switchrank.sources.bitext.files import DROPS, PARTS, REASONS, STATISTICS, Drop
from switchrank.sources.bitext.hashes import Bits, Hashes, HeldOut, Repeats, are_among, line_hashes

_HASHED = BITEXT | {"source_hash": pl.UInt64, "target_hash": pl.UInt64}


def write_bitext(
    *,
    files: Sequence[str | Path],
    languages: Sequence[str],
    out: str | Path,
    endings: Sequence[str] = (),
    columns: Sequence[int | str] = (),
    drop: Collection[Drop] = DROPS,
    max_ratio: float = 3.0,
    held_out: float = 0,
    seed: int = 1,
    overwrite: bool = False,
) -> dict[str, int]:
    """Write the lines of a parallel text that can be trained on, and those held out, as tables (``BITEXT``).

    Texts lose white space at their ends and are otherwise unchanged; case and spaces make no difference when lines are
    compared (:func:`switchrank.text.equality.key`). Which ones are held out follows from their text and the seed, not
    from their order: a sentence of the first language is drawn with all its translations, also those in other parallel
    texts. A line that shares a side with a held-out one is in no part.

    What is read waits on disk: memory holds some lines, the hashes of those held out, and a bit for each line.

    Args:
        files: two files, plain or packed, aligned line by line; or one: fields between tabs with ``columns``, else a
            zip archive of two aligned files, as OPUS has them.
        languages: codes of the two languages.
        out: folder for ``train.parquet``, ``held-out.parquet`` if lines are held out, and the counts, ``stats.json``.
        endings: how the names of the files in an archive end, after a point; default: the languages.
        columns: of the two languages, by number from 1, or by name in the first line.
        drop: kinds of lines to leave out, beside empty and repeated ones.
        max_ratio: kind ``ratio``: a side may be so many times as long as the other, in characters or in bytes.
        held_out: lines to hold out, or, below 1, the share of them.
        seed: seed of that draw.
        overwrite: replace the folder whatever it holds.

    Returns:
        ``lines`` read, those in ``train`` and ``held_out``, and those in no part by reason (``REASONS``).

    Raises:
        UserError: as of :func:`switchrank.sources.bitext.aligned.read_aligned`; most lines of a side are in letters of
            other languages; nothing is left to train on or to hold out; a setting is out of bounds; ``out`` holds
            something else.

    Example:
        ``write_bitext(files=["deu.txt"], languages=["en", "de"], columns=[1, 2], held_out=500, out="tatoeba/en-de")``
    """
    _check(files, languages, max_ratio, held_out)
    clean = Cleaner(languages, drop, max_ratio)
    with atomic_folder(out, "a parallel text", overwrite=overwrite) as folder:
        with scratch_folder(folder / "lines") as scratch:
            lines = read_aligned(files, endings or languages, columns)
            hashed, held = scratch / "hashed", HeldOut(held_out, seed)
            with Repeats.inside(scratch) as repeats:
                _spill(clean.kept(lines), hashed, held, repeats)
                clean.check_sides(files)
                _divide(hashed, _Roles(repeats.found(), *held.chosen()), clean.counts)
            for part in PARTS if held_out else ("train",):
                sink(map(pl.read_parquet, _in_order(scratch / part)), BITEXT, folder / PARTS[part])
        counts = {name: clean.counts[name] for name in ("lines", *PARTS, *REASONS)}
        _check_parts(files[0], counts, held_out)
        write_json(folder / STATISTICS, counts | {"languages": list(languages)})
    return counts


def _check(files: Sequence[str | Path], languages: Sequence[str], max_ratio: float, held_out: float) -> None:
    place = files[0] if files else ""
    if len(set(languages)) != 2 or len(languages) != 2:
        raise UserError(place, "languages", f"{' '.join(languages) or 'none'}", "name two, such as en de")
    if not max_ratio >= 1:
        raise UserError(place, "max_ratio", f"{max_ratio:g}", "write 1 or more")
    if held_out < 0 or (held_out > 1 and held_out != int(held_out)):
        raise UserError(place, "held_out", f"{held_out:g}", "write a number of lines, or a share below 1")


def _spill(rows: Iterator[Row], folder: Path, held: HeldOut, repeats: Repeats) -> None:
    """Write the lines to numbered files in a folder, and show their hashes to who needs those of all."""
    folder.mkdir()
    for number, frame in enumerate(frames(rows, _HASHED)):
        source, target = _hashes(frame)
        held.add(source, target)
        repeats.add(line_hashes(source, target))
        frame.write_parquet(folder / f"{number}.parquet", compression="lz4")


def _hashes(frame: pl.DataFrame) -> tuple[Hashes, Hashes]:
    return frame["source_hash"].to_numpy(), frame["target_hash"].to_numpy()


def _in_order(folder: Path) -> list[Path]:
    return sorted(folder.iterdir(), key=lambda file: int(file.stem))


class _Roles:
    """What becomes of each line."""

    def __init__(self, repeated: Bits, source: Hashes, target: Hashes) -> None:
        self._repeated = repeated
        self._source, self._target, self._lines = map(np.unique, (source, target, line_hashes(source, target)))

    def of(self, start: int, source: Hashes, target: Hashes) -> NDArray[np.str_]:
        """A part, or a reason to be in none, for each of the lines that follow each other from ``start``."""
        repeated = self._repeated.of(start, start + len(source))
        held = are_among(line_hashes(source, target), self._lines)
        like = are_among(source, self._source) | are_among(target, self._target)
        return np.select([repeated, held, like], ["repeated", "held_out", "like_held_out"], "train")


def _divide(hashed: Path, roles: _Roles, counts: Counter[str]) -> None:
    """Write the lines of each part to numbered files in a folder of its own, and count what becomes of all."""
    start = 0
    for part in PARTS:
        (hashed.parent / part).mkdir()
    for file in _in_order(hashed):
        frame = pl.read_parquet(file)
        found = roles.of(start, *_hashes(frame))
        start += len(frame)
        counts.update(found.tolist())
        for part in PARTS:
            frame.select(list(BITEXT)).filter(found == part).write_parquet(hashed.parent / part / file.name)
        file.unlink()


def _check_parts(file: str | Path, counts: dict[str, int], held_out: float) -> None:
    """Tell what became of the lines; UserError if there is nothing to train on or to hold out."""
    lost = ", ".join(f"{counts[reason]:,} {reason.replace('_', ' ')}" for reason in REASONS if counts[reason])
    told = f"{counts['lines']:,} lines" + (f", left out: {lost}" if lost else "")
    left = counts["train"] + counts["held_out"] + counts["like_held_out"]
    if not left:
        raise UserError(file, "", f"no line is left of {told}", "correct the languages or columns, or drop less")
    if held_out and (not counts["train"] or counts["held_out"] < max(1, int(held_out))):
        problem = f"{counts['held_out']:,} of {left:,} lines would be held out, {counts['train']:,} left to train on"
        raise UserError(file, "held_out", problem, "hold out another number or share of them")
    print(f"{file}: {told}; {counts['train']:,} train, {counts['held_out']:,} held out", file=sys.stderr)
