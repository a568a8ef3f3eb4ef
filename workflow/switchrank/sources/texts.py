"""Texts of one language as a table: each text once, as many as are wanted, a part of them held out."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from switchrank.core.atomic import atomic_folder, scratch_folder
from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.core.seeds import counter_uniform
from switchrank.files.reading import disk_errors
from switchrank.formats.tables import DAMAGE, TEXTS, reason
from switchrank.sources.bitext.files import PARTS, STATISTICS
from switchrank.sources.bitext.hashes import Bits, Repeats, draw_key, text_hash
from switchrank.sources.lines import check_held_out, check_letters, check_parts, divide, spill, spilled
from switchrank.text.running_text import read_prose
from switchrank.text.scripts import is_foreign_to

REASONS = ("empty", "repeated", "not_drawn")
"""Why a line is in no part: it holds no text, repeats an earlier one, or more than ``limit`` were there."""

Draws = Callable[[], Iterator[NDArray[np.float64]]]
"""The draws of all distinct lines, some at a time."""

_HASHED = TEXTS | {"hash": pl.UInt64}
_PARQUET = b"PAR1"
_ROWS = 1 << 14
_BINS = 1 << 16


def write_texts(
    *,
    files: Sequence[str | Path],
    language: str,
    out: str | Path,
    limit: int | None = None,
    held_out: float = 0,
    seed: int = 1,
    overwrite: bool = False,
) -> dict[str, int]:
    """Write texts of one language that can be trained on, and those held out, as tables (``TEXTS``).

    Texts lose white space at their ends and are otherwise unchanged; of those that differ in case and spaces alone
    (:func:`switchrank.text.equality.key`) the first stays. Each text has a draw that follows from it and the seed: the
    smallest are held out, and of the others as many as wanted are trained on, so that a smaller ``limit`` takes some
    of those that a larger one takes, and the order of lines and files makes no difference.

    What is read waits on disk: memory holds some lines, and a bit for each.

    Args:
        files: plain or packed text, a text a line; or Parquet files with a column ``text``.
        language: code of their language.
        out: folder for ``train.parquet``, ``held-out.parquet`` if lines are held out, and the counts, ``stats.json``.
        limit: most lines to train on; default: all.
        held_out: lines to hold out, or, below 1, the share of all lines.
        seed: seed of the draws.
        overwrite: replace the folder whatever it holds.

    Returns:
        ``lines`` read, those in ``train`` and ``held_out``, and those in no part by reason (``REASONS``).

    Raises:
        UserError: a file is missing, damaged or no text; most lines are in letters of other languages; nothing is left
            to train on or to hold out; a setting is out of bounds; ``out`` holds something else.

    Example:
        ``write_texts(files=["news.sw.txt.xz"], language="sw", limit=200_000, held_out=500, out="texts/news/sw")``
    """
    _check(files, limit, held_out)
    lines = _Lines(language)
    with atomic_folder(out, "texts of one language", overwrite=overwrite) as folder:
        with scratch_folder(folder / "lines") as scratch, Repeats.inside(scratch) as repeats:
            spill(lines.of(files), _HASHED, scratch / "hashed", lambda frame: repeats.add(frame["hash"].to_numpy()))
            lines.check_letters(files[0])
            roles = _Roles(scratch / "hashed", repeats.found(), draw_key(seed))
            roles.cut(held_out, limit)
            lines.counts.update(divide(scratch / "hashed", TEXTS, roles.of, folder, held_out))
        counts = {name: lines.counts[name] for name in ("lines", *PARTS, *REASONS)}
        left = counts["train"] + counts["held_out"] + counts["not_drawn"]
        check_parts(files[0], counts, held_out, left=left, todo="give files with text in them")
        write_json(folder / STATISTICS, counts | {"language": language})
    return counts


def _check(files: Sequence[str | Path], limit: int | None, held_out: float) -> None:
    place = files[0] if files else ""
    if not files:
        raise UserError(place, "files", "none", "name one or more")
    if limit is not None and limit < 1:
        raise UserError(place, "limit", f"{limit}", "write 1 or more, or leave it out")
    check_held_out(place, held_out)


class _Lines:
    """Reads texts, leaves out empty ones, and counts them.

    Attributes:
        counts: ``lines`` read, and ``empty`` ones.
    """

    def __init__(self, language: str) -> None:
        self.counts: Counter[str] = Counter()
        self._language, self._foreign, self._strange = language, is_foreign_to(language), 0

    def of(self, files: Sequence[str | Path]) -> Iterator[tuple[int, str, int]]:
        """Yield number, text and hash of each line that holds text, without white space at its ends."""
        for file in files:
            for line in _column(file) if _is_parquet(file) else read_prose(file, what=f"lines of {Path(file).name}"):
                self.counts["lines"] += 1
                text = (line or "").strip()
                if text:
                    self._strange += self._foreign(text)
                    yield self.counts["lines"], text, text_hash(text)
                else:
                    self.counts["empty"] += 1

    def check_letters(self, file: str | Path) -> None:
        """UserError where most lines are in letters of other languages."""
        looked_at = self.counts["lines"] - self.counts["empty"]
        check_letters(file, self._language, self._strange, looked_at, "correct the language or the files")


def _is_parquet(file: str | Path) -> bool:
    with disk_errors(file), Path(file).open("rb") as stream:
        return stream.read(len(_PARQUET)) == _PARQUET


def _column(file: str | Path) -> Iterator[str | None]:
    """The texts of a Parquet file, row by row."""
    try:
        with pq.ParquetFile(file) as table:
            for batch in table.iter_batches(_ROWS, columns=["text"]):
                frame = pl.DataFrame(batch)
                if frame.schema.get("text") != pl.String:
                    found = ", ".join(table.schema_arrow.names)[:80]
                    raise UserError(
                        file, "", "no column 'text' of strings", f"rename the one that is meant of: {found}"
                    )
                yield from frame["text"]
    except (*DAMAGE, pa.ArrowException) as error:
        raise UserError(file, "", f"not a readable Parquet file ({reason(error)})", "make it again") from error


class _Roles:
    """What becomes of each line, by its draw: the smallest are held out, the next trained on."""

    def __init__(self, waiting: Path, repeated: Bits, seed: int) -> None:
        self._waiting, self._repeated, self._seed = waiting, repeated, seed
        self._held, self._train = 0.0, 1.0

    def cut(self, held_out: float, limit: int | None) -> None:
        """Find the draws at which lines are no longer held out, and no longer trained on."""
        self._held = draw_of_rank(self._draws, int(held_out)) if held_out >= 1 else held_out
        if limit is not None:
            held = sum(int(np.count_nonzero(draws < self._held)) for draws in self._draws())
            self._train = draw_of_rank(self._draws, held + limit)

    def _draws(self) -> Iterator[NDArray[np.float64]]:
        start = 0
        for file in spilled(self._waiting):
            hashes = pl.read_parquet(file, columns=["hash"])["hash"].to_numpy()
            yield counter_uniform(self._seed, hashes[~self._repeated.of(start, start + len(hashes))])
            start += len(hashes)

    def of(self, start: int, frame: pl.DataFrame) -> NDArray[np.str_]:
        """A part, or a reason to be in none, for each of the lines that follow each other from ``start``."""
        draws = counter_uniform(self._seed, frame["hash"].to_numpy())
        repeated = self._repeated.of(start, start + len(frame))
        kinds = ["repeated", "held_out", "train"]
        return np.select([repeated, draws < self._held, draws < self._train], kinds, "not_drawn")


def draw_of_rank(draws: Draws, rank: int) -> float:
    """The draw, from 0 to 1, that just ``rank`` of all are smaller than; 1 if there are not more.

    Two passes over the draws, of which memory holds those in a small interval.
    """
    counts = np.zeros(_BINS + 1, dtype=np.int64)
    for some in draws():
        counts[1:] += np.bincount((some * _BINS).astype(np.intp), minlength=_BINS)
    smaller = np.cumsum(counts)
    if smaller[-1] <= rank:
        return 1.0
    interval = int(np.searchsorted(smaller, rank, side="right")) - 1
    inside = np.concatenate([some[(some * _BINS).astype(np.intp) == interval] for some in draws()])
    return float(np.sort(inside)[rank - smaller[interval]])
