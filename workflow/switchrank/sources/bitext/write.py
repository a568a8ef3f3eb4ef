"""Parallel text as tables of lines that translate each other: cleaned, each loss counted, a part of it held out."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.atomic import atomic_folder, scratch_folder
from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.formats.tables import BITEXT
from switchrank.sources.bitext.aligned import read_aligned
from switchrank.sources.bitext.clean import Cleaner
from switchrank.sources.bitext.files import DROPS, PARTS, REASONS, STATISTICS, Drop
from switchrank.sources.bitext.hashes import Bits, Hashes, HeldOut, Repeats, are_among, line_hashes
from switchrank.sources.lines import check_held_out, check_parts, divide, spill

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
        with scratch_folder(folder / "lines") as scratch, Repeats.inside(scratch) as repeats:
            held = HeldOut(held_out, seed)

            def seen(frame: pl.DataFrame) -> None:
                source, target = _hashes(frame)
                held.add(source, target)
                repeats.add(line_hashes(source, target))

            lines = read_aligned(files, endings or languages, columns)
            spill(clean.kept(lines), _HASHED, scratch / "hashed", seen)
            clean.check_sides(files)
            roles = _Roles(repeats.found(), *held.chosen())
            clean.counts.update(divide(scratch / "hashed", BITEXT, roles.of, folder, held_out))
        counts = {name: clean.counts[name] for name in ("lines", *PARTS, *REASONS)}
        left = counts["train"] + counts["held_out"] + counts["like_held_out"]
        check_parts(files[0], counts, held_out, left=left, todo="correct the languages or columns, or drop less")
        write_json(folder / STATISTICS, counts | {"languages": list(languages)})
    return counts


def _check(files: Sequence[str | Path], languages: Sequence[str], max_ratio: float, held_out: float) -> None:
    place = files[0] if files else ""
    if len(set(languages)) != 2 or len(languages) != 2:
        raise UserError(place, "languages", f"{' '.join(languages) or 'none'}", "name two, such as en de")
    if not max_ratio >= 1:
        raise UserError(place, "max_ratio", f"{max_ratio:g}", "write 1 or more")
    check_held_out(place, held_out)


def _hashes(frame: pl.DataFrame) -> tuple[Hashes, Hashes]:
    return frame["source_hash"].to_numpy(), frame["target_hash"].to_numpy()


class _Roles:
    """What becomes of each line."""

    def __init__(self, repeated: Bits, source: Hashes, target: Hashes) -> None:
        self._repeated = repeated
        self._source, self._target, self._lines = map(np.unique, (source, target, line_hashes(source, target)))

    def of(self, start: int, frame: pl.DataFrame) -> NDArray[np.str_]:
        """A part, or a reason to be in none, for each of the lines that follow each other from ``start``."""
        source, target = _hashes(frame)
        repeated = self._repeated.of(start, start + len(source))
        held = are_among(line_hashes(source, target), self._lines)
        like = are_among(source, self._source) | are_among(target, self._target)
        return np.select([repeated, held, like], ["repeated", "held_out", "like_held_out"], "train")
