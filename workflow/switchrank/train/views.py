"""What an encoder reads in a step of pretraining: for each objective texts to predict pieces of, or pairs to match.

A switched copy is one for all objectives of a step. What is drawn is a function of seed, step and row alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import polars as pl

from switchrank.core.ragged import Numbers, spans
from switchrank.core.seeds import counter_state, derive_seed, uniform_after
from switchrank.models.encode import Texts, read_template, tokenise, truncated
from switchrank.train.line_pool import LinePool
from switchrank.train.switched_lines import SwitchedLines

Role = Literal["texts", "bitext"]
PREDICTED, MATCHED = ("mlm", "mlm-cs", "tlm"), ("simcse", "cs", "translation", "crop")
"""The objectives that predict pieces, and those that tell a row from others."""
SWITCHED = ("mlm-cs", "cs")
"""Those that read switched copies; ``tlm`` does without bitext."""
_SIDES = ("source", "target")
_SHORTEST, _LONGEST = 0.1, 0.5
"""Shares of a text that a cropped span has (Izacard et al. 2022, arXiv 2112.09118, appendix)."""


@dataclass(frozen=True)
class View:
    """What is read of the rows of a step for one objective.

    Attributes:
        first, second: the texts of each row as they are read. To match, one is told from those of other rows by the
            other; to predict, they are read as one sequence, and ``second`` is empty where it is a single text.
        rows: which rows of the step these are.
        lines: the number of the line of each.
        tokens: how many tokens are read in all, special ones included.
        unchanged: rows that are left out as switching does not change them.
    """

    first: Texts
    second: Texts
    rows: Numbers
    lines: Numbers
    tokens: int
    unchanged: int = 0


class Views:
    """Makes the views of steps.

    Args:
        pools: lines by the role of their data, ``text`` in ``texts``, ``source`` and ``target`` in ``bitext``.
        switched: switches lines of ``texts``; needed for objectives on switched text.
        lengths: tokens of one text, and of two as one sequence, special ones included.
        cropped: whether spans of texts are asked for.
    """

    def __init__(
        self,
        pools: Mapping[Role, LinePool],
        switched: SwitchedLines | None,
        tokenizer: Any,
        lengths: tuple[int, int],
        *,
        cropped: bool,
        batch_size: int,
        seed: int,
    ) -> None:
        self.single, self.pair = read_template(tokenizer, pair=False), read_template(tokenizer)
        self._room, self._pair_room = lengths[0] - self.single.specials, lengths[1] - self.pair.specials
        self._switched, self._tokenizer, self._pools = switched, tokenizer, pools
        self._batch_size, self._seed = batch_size, seed
        self._copies: tuple[int, pl.Series, Texts] | None = None
        self._limit = (1 + cropped) * self._room
        self._tokens = {
            (role, column): tokenise(
                tokenizer, pool.frame[column].to_list(), limit=self._limit, what=f"pieces of the {role}"
            )
            for role, pool in pools.items()
            for column in pool.frame.columns
        }

    def of(self, objective: str, step: int, lines: Numbers) -> View:
        """The view of an objective in a step, of lines of the pool that it reads."""
        first, second = self._texts(objective, step, lines)
        rows, unchanged = np.arange(len(lines)), 0
        if objective == "cs":
            rows = np.flatnonzero(self._copied(step, lines)[0])
            first, second, unchanged = first.take(rows), second.take(rows), len(lines) - len(rows)
        if objective == "tlm":
            first, second = truncated(first, second, room=self._pair_room, truncation="longest_first")
        specials = (
            self.pair.specials if objective == "tlm" else (1 if objective in PREDICTED else 2) * self.single.specials
        )
        tokens = int(first.lengths.sum() + second.lengths.sum()) + len(rows) * specials
        return View(first, second, rows, lines[rows], tokens, unchanged)

    def _texts(self, objective: str, step: int, lines: Numbers) -> tuple[Texts, Texts]:
        if objective == "translation" or (objective == "tlm" and "bitext" in self._pools):
            source, target = (self._tokens["bitext", column].take(lines).cut(self._room) for column in _SIDES)
            return source, target
        whole = self._tokens["texts", "text"].take(lines)
        texts = whole.cut(self._room)
        if objective == "crop":
            return self._span(whole, step, 0), self._span(whole, step, 1)
        if objective == "mlm-cs":
            texts = self._copied(step, lines)[1]
        if objective in ("cs", "tlm"):
            return texts, self._copied(step, lines)[1]
        return texts, texts if objective == "simcse" else texts.cut(0)

    def _copied(self, step: int, lines: Numbers) -> tuple[Numbers, Texts]:
        """Which of the lines switching changes, and the pieces of all switched lines."""
        if self._copies is None or self._copies[0] != step:
            assert self._switched is not None
            switched = self._switched(lines, step * self._batch_size + np.arange(len(lines)))
            self._copies = step, switched, tokenise(self._tokenizer, switched.to_list(), limit=self._room)
        _, switched, pieces = self._copies
        changed: Numbers = (switched != self._pools["texts"].frame["text"][lines]).to_numpy()
        return changed, pieces.cut(self._room)

    def _span(self, texts: Texts, step: int, number: int) -> Texts:
        """A random span of each text, of 10 to 50% of its pieces, at least one."""
        state = counter_state(derive_seed(self._seed, "crop"), step)
        rows, whole = np.arange(len(texts.starts)), np.minimum(texts.lengths, self._limit)
        length, place = (uniform_after(state, rows, number, which) for which in range(2))
        lengths = np.rint(whole * (_SHORTEST + (_LONGEST - _SHORTEST) * length)).astype(np.int64)
        lengths = np.minimum(np.maximum(lengths, 1), np.minimum(whole, self._room))
        starts = texts.starts + (place * (whole - lengths + 1)).astype(np.int64)
        return replace(texts, starts=starts, lengths=lengths)


def end_to_end(first: Texts, second: Texts) -> Texts:
    """The texts of both, end to end."""
    parts = [texts.ids[spans(texts.starts, texts.lengths)] for texts in (first, second)]
    lengths = np.concatenate([first.lengths, second.lengths])
    return Texts(np.concatenate(parts), np.cumsum(lengths) - lengths, lengths)
