"""The settings of a training run: names, defaults, and what each may be."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from switchrank.core.errors import UserError


@dataclass(frozen=True)
class Settings:
    """How a ranker is trained. Defaults follow Litschko et al. 2023 (arXiv 2305.05295) where they name a value."""

    steps: int = 0
    """Optimiser steps; may exceed one pass over the corpus. 0 = as many as ``epochs`` take."""
    epochs: int = 0
    """Passes over the corpus, in place of ``steps``; the step that ends the last one may begin another. Unless
    ``eval_every`` says otherwise, the development set is scored after each."""
    batch_size: int = 64
    """Instances per optimiser step: exactly as many with ``bce``; else the step is ``batch_size // size`` whole groups,
    at least one, where size is the rounded mean number of instances in a group."""
    token_budget: int = 2048
    """Padded tokens per forward pass; a batch is split by length into as many passes as that takes, groups kept
    whole; halved where memory runs out. Small models on CPU are fastest at about 2048, GPUs at tens of thousands."""
    lr: float = 2e-5
    warmup: float = 0.1
    """Steps of linear warm-up: a share of ``steps`` when below 1, a number of steps otherwise."""
    schedule_steps: int | None = None
    """Step at which the learning rate would be 0; ``None`` = ``steps``. Where it lies beyond, training ends at a
    learning rate above 0: in the published experiment at 36.6% of the peak (200,000 of 312,500 steps)."""
    weight_decay: float = 0.01
    """Not applied to biases and layer norms."""
    clip: float = 1.0
    """Largest norm of the gradient; 0 = no clipping."""
    max_length: int = 512
    """Pieces per pair including special ones; never more than the model has positions."""
    truncation: str = "longest_first"
    """``longest_first`` or ``only_second`` (the passage)."""
    precision: str = "fp32"
    """``fp32``, ``bf16``, ``fp16`` or ``auto`` (bf16 where the GPU or CPU computes in it; the log says what and why).
    All but ``fp32`` change the result a little."""
    dropout: float | None = None
    """``None`` = what the starting model's config says."""
    eval_every: int = 0
    """Steps between scores on the development set; 0 = only after the last step, or with ``epochs`` after each."""
    checkpoint_every: int = 1000
    """Steps between checkpoints; 0 = only when asked to stop."""
    log_every: int = 50
    """Steps that one point of the loss curve is averaged over."""
    keep: str = "last"
    """``last``, or ``best`` = weights of the best development score (the earliest, if equal)."""
    threads: int = 1
    objective: str = "bce"
    """``bce`` = binary cross-entropy on each instance's logit; ``pairwise`` = logistic loss of each negative against
    its positive; ``listwise`` = softmax cross-entropy of each positive among its negatives. See
    :mod:`switchrank.train.objectives`."""

    @property
    def warmup_steps(self) -> int:
        """Steps of warm-up."""
        return round(self.warmup * self.steps) if self.warmup < 1 else round(self.warmup)

    @property
    def falls_to(self) -> int:
        """The step at which the learning rate would be 0."""
        return self.steps if self.schedule_steps is None else self.schedule_steps

    def over(self, units: int, per_step: int) -> Settings:
        """With the steps that ``epochs`` take over a corpus of ``units``, of which a step sees ``per_step``.

        Raises:
            UserError: more steps of warm-up than there are, or fewer of the schedule.
        """
        if not self.epochs:
            return self
        told = dataclasses.replace(self, steps=-(-self.epochs * units // per_step))
        told.check_schedule()
        return told

    def check_schedule(self) -> None:
        """Raise UserError where the steps are known, and warm-up takes more or the learning rate is 0 before."""
        if self.steps and self.warmup_steps > self.steps:
            problem = f"{self.warmup_steps} of {self.steps} steps"
            raise UserError("train settings", "warmup", problem, "warm up for less, or for a share such as 0.1")
        if self.falls_to < self.steps:
            problem = f"the learning rate is 0 after {self.falls_to} of {self.steps} steps"
            raise UserError("train settings", "schedule_steps", problem, "write at least steps, or leave it out")


_CHOICES = {
    "truncation": ("longest_first", "only_second"),
    "precision": ("fp32", "bf16", "fp16", "auto"),
    "keep": ("last", "best"),
    "objective": ("bce", "pairwise", "listwise"),
}
_LEAST = {"max_length": 8}
_LEAST |= dict.fromkeys(("schedule_steps", "batch_size", "token_budget", "log_every", "threads"), 1)


def parse_settings(settings: Mapping[str, Any]) -> Settings:
    """Settings from a plain mapping, checked.

    Raises:
        UserError: an unknown or missing key, or a value out of range.
    """
    fields = {field.name: field for field in dataclasses.fields(Settings)}
    for name, value in settings.items():
        if name not in fields:
            raise UserError("train settings", name, "unknown key", f"known keys are {', '.join(fields)}")
        _check(name, value, str(fields[name].type))
    parsed = Settings(**settings)
    if parsed.steps and parsed.epochs:
        raise UserError(
            "train settings", "epochs", f"{parsed.epochs} beside {parsed.steps} steps", "give one of the two"
        )
    if not parsed.steps and not parsed.epochs:
        problem = "missing" if "steps" not in settings else "0"
        raise UserError("train settings", "steps", problem, "say how many optimiser steps or epochs to take")
    parsed.check_schedule()
    return parsed


def check_dev(settings: Settings, *, given: bool) -> None:
    """Raise UserError where the best weights are to be kept and no development set is ``given`` to choose them by."""
    if settings.keep == "best" and not given:
        raise UserError("train settings", "keep", "'best' needs a development set", "give dev, or write keep: last")


def check_precision(precision: str, device: str) -> None:
    """Raise UserError for fp16 on ``cpu``, which has no loss scaling."""
    if precision == "fp16" and device == "cpu":
        raise UserError("train settings", "precision", "fp16 needs a GPU", "write fp32 or bf16")


def _check(name: str, value: Any, kind: str) -> None:
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise UserError("train settings", name, f"{value!r} is not known", f"choose {' or '.join(_CHOICES[name])}")
        return
    if value is None and "None" in kind:
        return
    number = isinstance(value, int) or (isinstance(value, float) and "float" in kind and math.isfinite(value))
    least = _LEAST.get(name, 0)
    if isinstance(value, bool) or not number or value < least:
        what = "a number" if "float" in kind else "a whole number"
        raise UserError("train settings", name, f"{value!r} is not {what} of at least {least}", "write one")
