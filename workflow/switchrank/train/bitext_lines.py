"""The lines of bitext that a model is taught by, and those that it is judged by: no text is among both."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.seeds import generator
from switchrank.train.line_tables import read_pairs

_SIDES = ("source", "target")
_PAIR = ("source_language", "target_language")


@dataclass(frozen=True)
class BitextLines:
    """Distinct lines, in an order that the seed decides.

    Attributes:
        trained_on, held_out: the columns ``source``, ``target``, ``source_language`` and ``target_language``.
        left_out: lines that are in neither, as one of their texts is held out.
    """

    trained_on: pl.DataFrame
    held_out: pl.DataFrame
    left_out: int = 0

    def counts(self) -> dict[str, int]:
        """How many lines are trained on of each pair of languages, ``en-de``, by falling number."""
        pair = pl.format("{}-{}", *_PAIR).alias("pair")
        counted = self.trained_on.group_by(pair).len().sort("len", "pair", descending=[True, False])
        return dict(counted.iter_rows())


def draw_lines(
    paths: Sequence[str | Path], *, lines: int, held_out: int, seed: int, dev: Sequence[str | Path] = ()
) -> BitextLines:
    """The lines of some ``BITEXT`` tables that are trained on, and those that are held out of them.

    Args:
        paths: tables whose places name two languages (:func:`switchrank.train.line_tables.read_pairs`).
        lines: how many of each two languages are drawn at most, the fewer among the more; 0: all.
        held_out: lines that are held out, a tenth at most; what is held out does not depend on ``lines``.
        seed: of what is held out and drawn, and in which order.
        dev: tables whose lines are held out instead.

    Raises:
        UserError: a damaged table; fewer than two lines in either part; a line of ``dev`` whose source or target is
            trained on.
    """
    frame = _lines(paths)
    frame = frame[generator(seed, "lines").permutation(len(frame))]
    if dev:
        pool, judged = frame, _lines(dev)
        if shared := len(frame) - len(_without(frame, judged)):
            problem = f"{shared} of the lines that are trained on have a text of these"
            raise UserError(dev[0], "", problem, "give lines that nothing is trained on, or leave dev out")
    else:
        first = len(frame) - min(held_out, max(2, len(frame) // 10))
        pool, judged = frame[: max(0, first)], frame[max(0, first) :]
    kept = _without(pool, judged)
    for part, what in ((kept, "to train on"), (judged, "to judge by")):
        if len(part) < 2:
            raise UserError("train", "bitext", f"fewer than two lines {what}", "give tables with more")
    drawn = kept.filter(pl.int_range(pl.len()).over(_PAIR) < lines) if lines else kept
    return BitextLines(drawn, judged, len(pool) - len(kept))


def _lines(paths: Sequence[str | Path]) -> pl.DataFrame:
    """The distinct lines of some tables, with the languages of both sides."""
    frames = (
        frame.with_columns(**{name: pl.lit(code) for name, code in zip(_PAIR, pair, strict=True)})
        for pair, frame in read_pairs(paths).items()
    )
    return pl.concat(frames)


def _without(frame: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """The lines that share no text of a language with any of those that are judged."""
    for side, language in zip(_SIDES, _PAIR, strict=True):
        frame = frame.join(judged.select(side, language), on=[side, language], how="anti", maintain_order="left")
    return frame
