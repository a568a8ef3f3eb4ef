"""Lines of bitext whose source side a teacher reads, and whose target side its student: how far apart they are."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch

from switchrank.core.errors import UserError
from switchrank.core.ragged import Numbers, spans
from switchrank.core.seeds import derive_seed
from switchrank.models.dropout import Draw
from switchrank.models.encode import Template, Texts, assemble, by_length, distinct_texts, read_template, tokenise
from switchrank.models.pretrained import longest_input
from switchrank.train.bitext_lines import BitextLines, draw_lines
from switchrank.train.distillation import Distillation, same_pieces
from switchrank.train.method import Context
from switchrank.train.pair_measures import pair_measures
from switchrank.train.token_alignment import (
    Transport,
    content_tokens,
    cosine_costs,
    direction_errors,
    greedy_errors,
    max_sim_errors,
)
from switchrank.train.transport import marginal_error, plan_entropy

if TYPE_CHECKING:
    from switchrank.train.methods.distil import DistilSettings

_MISSED = 0.1
"""Plans that move so much of the mass to or from the wrong tokens are no plans for these weights."""


@dataclass(frozen=True)
class _View:
    """What a model makes of n texts.

    Attributes:
        vectors: of their tokens, ``(n, longest, d)``, zeros at padding.
        weights: of their tokens, ``(n, longest)``; they add up to 1, and special tokens have none.
        lengths: number of their tokens, ``(n,)``.
    """

    vectors: torch.Tensor
    weights: torch.Tensor
    lengths: torch.Tensor

    def pooled(self) -> torch.Tensor:
        """The mean of all tokens of each text, ``(n, d)``."""
        return self.vectors.sum(1) / self.lengths[:, None]


@dataclass(frozen=True)
class _Side:
    """One side of all lines, in the pieces of one tokenizer.

    Attributes:
        languages: of each line, by number.
        weights: of each piece in each language, ``(languages, pieces)``; None: all the same.
    """

    texts: Texts
    template: Template
    languages: Numbers
    weights: torch.Tensor | None

    def inputs(self, rows: Numbers) -> dict[str, torch.Tensor]:
        texts = self.texts.take(rows)
        arrays = assemble(self.template, texts, texts.cut(0))
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def view(self, inputs: Mapping[str, torch.Tensor], vectors: torch.Tensor, rows: Numbers) -> _View:
        weights = content_tokens(inputs, self.template).float()
        if self.weights is not None:
            languages = torch.from_numpy(self.languages[rows])
            weights = weights * self.weights[languages[:, None], inputs["input_ids"]]
        shares = weights / weights.sum(1, keepdim=True)
        return _View(vectors, shares.to(vectors.device), inputs["attention_mask"].sum(1).to(vectors.device))


@dataclass(frozen=True)
class _Seen:
    """A micro-batch of lines, ``places`` among those asked for: their source as the teacher sees it, their target and,
    where it is asked for, their source as the student does."""

    places: Numbers
    source: _View
    target: _View
    own_source: _View | None


class TaughtLines:
    """Units of training are lines, the last of which are held out; see :class:`switchrank.train.methods.distil.Distil`.

    Attributes:
        count, held_out: lines that are trained on, and after those the ones that are judged.
        longest: tokens of both sides of a line at most.

    Args:
        tokenizers: of the student and of its teacher.
        configs: the same of the models.
    """

    unit, measure = "lines", "loss"

    def __init__(
        self,
        context: Context[DistilSettings],
        pair: Distillation,
        tokenizers: tuple[Any, Any],
        configs: tuple[Any, Any],
    ) -> None:
        settings, data = context.settings, context.data
        self._context, self._pair, self._width = context, pair, int(configs[0].hidden_size)
        self._drops = [derive_seed(context.seed, "train", "dropout", side) for side in ("target", "source")]
        self._transport = transport_of(settings) if settings.loss == "transport" else None
        self._told = self._transport is None or settings.marginals == "unbalanced"
        dev = data.every("dev") if data.has("dev") else ()
        drawn = {"lines": settings.lines, "held_out": settings.held_out, "seed": context.seed}
        lines = draw_lines(data.every("bitext"), dev=dev, **drawn)
        self._counts, self._left_out = lines.counts(), lines.left_out
        longest = [longest_input(*both) for both in zip(tokenizers, configs, strict=True)]
        rooms = [min(settings.max_length, most) for most in longest]
        self.longest = 2 * max(rooms)
        self._open(lines, tokenizers, rooms)

    def _open(self, lines: BitextLines, tokenizers: tuple[Any, Any], rooms: Sequence[int]) -> None:
        """Tokenise all lines; those without a piece on a side are left out."""
        frame = pl.concat([lines.trained_on, lines.held_out])
        ours, theirs = tokenizers
        source, target = (_tokenised(ours, frame[side], rooms[0]) for side in ("source", "target"))
        shown = source if same_pieces(ours, theirs) else _tokenised(theirs, frame["source"], rooms[1])
        there = np.min([side.lengths for side in (source, target, shown)], axis=0) > 0
        kept = np.flatnonzero(there)
        self.count = int(there[: len(lines.trained_on)].sum())
        self.held_out, self._left_out = len(kept) - self.count, self._left_out + len(frame) - len(kept)
        if min(self.count, self.held_out) < 2:
            raise UserError("train", "bitext", "fewer than two lines whose sides both have pieces", "give more lines")
        numbers = {name: distinct_texts(frame[name])[1][kept] for name in frame.columns}
        self._ids = numbers["source"], numbers["target"]
        languages = numbers["source_language"], numbers["target_language"]
        self._source = self._side(source.take(kept), ours, languages[0])
        self._target = self._side(target.take(kept), ours, languages[1])
        self._shown = self._side(shown.take(kept), theirs, languages[0])

    def _side(self, texts: Texts, tokenizer: Any, languages: Numbers) -> _Side:
        settings, weights = self._context.settings, None
        if settings.loss == "transport" and settings.marginals == "idf":
            weights = piece_weights(texts, languages, count=self.count, pieces=max(tokenizer.get_vocab().values()) + 1)
        return _Side(texts, read_template(tokenizer, pair=False), languages, weights)

    def errors(self, rows: Numbers, size: int, step: int | None = None) -> Iterator[torch.Tensor]:
        """The errors of some lines, ``(n,)`` of each micro-batch of ``size`` tokens, with dropout in a step."""
        for seen in self._read(rows, size, step, both=self._context.settings.english > 0):
            yield self._error(seen)

    def _read(self, rows: Numbers, size: int, step: int | None, *, both: bool) -> Iterator[_Seen]:
        specials = self._shown.template.specials + self._target.template.specials
        lengths = self._shown.texts.lengths[rows] + self._target.texts.lengths[rows] + specials
        for some in by_length(lengths, size):
            numbers = rows[some]
            shown = self._shown.inputs(numbers)
            with self._context.autocast():
                vectors = self._pair.theirs(shown)
            target = self._view(self._target, numbers, step, self._drops[0])
            own = self._view(self._source, numbers, step, self._drops[1]) if both else None
            yield _Seen(some, self._shown.view(shown, vectors, numbers), target, own)

    def _view(self, side: _Side, numbers: Numbers, step: int | None, seed: int) -> _View:
        inputs = side.inputs(numbers)
        with self._context.autocast():
            vectors = self._pair.ours(inputs, None if step is None else Draw(seed, step, numbers))
        return side.view(inputs, vectors, numbers)

    def _error(self, seen: _Seen) -> torch.Tensor:
        error, english = self._distance(seen.source, seen.target), self._context.settings.english
        if seen.own_source is not None and english:
            error = error + english * self._distance(seen.source, seen.own_source)
        return error

    def _distance(self, theirs: _View, ours: _View) -> torch.Tensor:
        """The loss of each line between what a teacher and its student make of it, ``(n,)``."""
        settings = self._context.settings
        given = theirs.vectors, ours.vectors, theirs.weights, ours.weights
        if self._transport is not None:
            error = self._transport.errors(*given)
        elif settings.loss == "mse":
            error = (theirs.pooled() - ours.pooled()).square().mean(1)
        else:
            error = (greedy_errors if settings.loss == "greedy" else max_sim_errors)(*given)
        return error + settings.pooled * direction_errors(*given) if settings.pooled else error

    @torch.no_grad()
    def judge(self, size: int) -> dict[str, float]:
        """The loss, and how well the student tells which target belongs to which source, both read by itself."""
        processes, device = self._context.processes, self._context.device
        mine = np.arange(processes.rank, self.held_out, processes.count)
        sums, vectors = torch.zeros(3, device=device), torch.zeros(2, self.held_out, self._width, device=device)
        for seen in self._read(self.count + mine, size, None, both=True):
            assert seen.own_source is not None
            places = torch.from_numpy(mine[seen.places]).to(device)
            vectors[:, places] = torch.stack([seen.own_source.pooled(), seen.target.pooled()])
            sums += torch.stack([self._error(seen).sum(), *self._plans(seen.source, seen.target)])
        loss, entropy, missed = (processes.add(sums) / self.held_out).tolist()
        ids = self._ids[0][self.count :], self._ids[1][self.count :]
        sources, targets = processes.add(vectors).unbind()
        measures = pair_measures(sources, targets, ids, "sentence_acc_at_1")
        of_plans = {} if self._transport is None else {"plan_entropy": entropy, "marginal_error": missed}
        self._tell(missed)
        return {self.measure: loss} | measures | of_plans

    def _plans(self, theirs: _View, ours: _View) -> tuple[torch.Tensor, torch.Tensor]:
        """Sums over lines of the entropy of their plans, and of how far these are from their marginals."""
        if self._transport is None:
            return theirs.weights.new_zeros(()), theirs.weights.new_zeros(())
        plans = self._transport.plans(cosine_costs(theirs.vectors, ours.vectors), theirs.weights, ours.weights)
        missed = marginal_error(plans, theirs.weights.log(), ours.weights.log())
        return plan_entropy(plans).sum(), missed.sum()

    def _tell(self, missed: float) -> None:
        if self._told or missed <= _MISSED:
            return
        self._told = True
        if not self._context.processes.rank:
            settings = self._context.settings
            print(f"train: eps: after {settings.iterations} iterations at {settings.eps:g} plans miss their marginals "
                  f"by {missed:.2f} of their mass: raise iterations or eps", file=sys.stderr)  # fmt: skip

    def record(self) -> dict[str, Any]:
        counts = {"trained_on": self.count, "held_out": self.held_out, "left_out": self._left_out}
        return {"bitext": counts | {"pairs": self._counts}}


def transport_of(settings: DistilSettings) -> Transport:
    rho = settings.rho if settings.marginals == "unbalanced" else None
    return Transport(settings.solver, settings.eps, settings.iterations, rho)


def piece_weights(texts: Texts, languages: Numbers, *, count: int, pieces: int) -> torch.Tensor:
    """How much a piece tells of a text in each language, float32 ``(languages, pieces)``, above 0.

    It is the inverse document frequency of BM25, ``ln(1 + (n - df + .5) / (df + .5))``, over the first ``count`` texts.

    Args:
        texts: token ids.
        languages: of each text, by number.
        pieces: number of all pieces.
    """
    found = np.zeros((languages.max() + 1, pieces), np.float32)
    for language, weights in enumerate(found):
        some = texts.take(np.flatnonzero(languages[:count] == language))
        line = np.repeat(np.arange(len(some.lengths)), some.lengths)
        keys = np.unique(line * pieces + some.ids[spans(some.starts, some.lengths)])
        frequency = np.bincount(keys % pieces, minlength=pieces)
        weights[:] = np.log1p((len(some.lengths) - frequency + 0.5) / (frequency + 0.5))
    return torch.from_numpy(found)


def _tokenised(tokenizer: Any, texts: pl.Series, longest: int) -> Texts:
    room = longest - read_template(tokenizer, pair=False).specials
    return tokenise(tokenizer, texts.to_list(), limit=room, what=f"pieces of the {texts.name} side").cut(room)
