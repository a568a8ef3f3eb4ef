"""Texts that a student and its teacher both read, token by token the same: what the repair of layers learns from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.core.ragged import Numbers
from switchrank.core.seeds import derive_seed, generator
from switchrank.models.dropout import Draw
from switchrank.models.encode import assemble, by_length, read_template, tokenise
from switchrank.train.distillation import Distillation
from switchrank.train.method import Context
from switchrank.train.tokenizer import read_texts

if TYPE_CHECKING:
    from switchrank.train.methods.distil import DistilSettings


class TaughtTexts:
    """Units of training are texts, the last of which are held out; see :class:`switchrank.train.methods.distil.Distil`.

    Attributes:
        count, held_out: texts that are trained on, and after those the ones that are judged.
        longest: tokens of a text at most.
    """

    unit, measure = "texts", "squared_error"

    def __init__(self, context: Context[DistilSettings], pair: Distillation, tokenizer: Any) -> None:
        settings = context.settings
        self._context, self._pair = context, pair
        self._drops = derive_seed(context.seed, "train", "dropout")
        self._template = read_template(tokenizer, pair=False)
        self.longest = min(settings.max_length, tokenizer.model_max_length)
        self._room = self.longest - self._template.specials
        texts = drawn_texts(context.data.every("texts"), settings.limit, context.seed)
        self.held_out = min(settings.held_out, max(1, len(texts) // 10))
        self.count = len(texts) - self.held_out
        self._texts = tokenise(tokenizer, texts, limit=self._room, what="pieces of the texts")

    def errors(self, rows: Numbers, size: int, step: int | None = None) -> Iterator[torch.Tensor]:
        """The errors of some texts, ``(n,)`` of each micro-batch of ``size`` tokens, with dropout in a step."""
        texts = self._texts.take(rows).cut(self._room)
        for some in by_length(texts.lengths + self._template.specials, size):
            arrays = assemble(self._template, texts.take(some), texts.take(some).cut(0))
            inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
            draw = None if step is None else Draw(self._drops, step, rows[some])
            with self._context.autocast():
                theirs, ours = self._pair.theirs(inputs), self._pair.ours(inputs, draw)
            yield token_errors(ours, theirs, inputs["attention_mask"].sum(1))

    @torch.no_grad()
    def judge(self, size: int) -> dict[str, float]:
        processes = self._context.processes
        held_out = np.arange(self.count, self.count + self.held_out)[processes.rank :: processes.count]
        total = torch.zeros((), device=self._context.device)
        for errors in self.errors(held_out, size):
            total += errors.sum()
        return {self.measure: processes.add(total).item() / self.held_out}

    def record(self) -> dict[str, Any]:
        return {"texts": {"trained_on": self.count, "held_out": self.held_out}}


def token_errors(ours: torch.Tensor, theirs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The mean squared error of each text, ``(n,)``, over the tokens that it has, ``lengths`` of them."""
    numbers = lengths.to(ours.device) * ours.shape[-1]
    return (ours - theirs).square().sum((1, 2)) / numbers


def drawn_texts(files: Sequence[str | Path], limit: int, seed: int) -> list[str]:
    """The distinct texts of some files, at most ``limit`` of each, in an order that the seed decides.

    Raises UserError where there are less than two, or a file cannot be read.
    """
    draws = generator(seed, "texts")
    found: dict[str, None] = {}
    for file in progress(files, what="texts", unit="files"):
        count = sum(1 for _ in read_texts(file))
        kept = set(draws.choice(count, limit, replace=False).tolist()) if count > limit else range(count)
        found |= dict.fromkeys(text for number, text in enumerate(read_texts(file)) if number in kept)
    texts = list(found)
    if len(texts) < 2:
        raise UserError("train", "texts", "fewer than two", "give files with more")
    return [texts[number] for number in draws.permutation(len(texts))]
