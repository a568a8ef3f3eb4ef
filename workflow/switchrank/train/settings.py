"""The settings of a training: each is defined once, with its type, its bounds, its default and what it means.

A method adds its own in a dataclass that inherits from :class:`Settings` or :class:`TextSettings`. The training
sections of the config, the command line and :func:`parse_settings` all read these definitions.
"""

import dataclasses
import json
import math
import operator
import textwrap
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from switchrank.core.errors import UserError

BY_EPOCHS = {"steps": 0, "warmup": 0.1, "eval_every": 0}
"""Defaults where ``epochs`` are given, of what is otherwise counted in steps."""
_PLACE = "train settings"
_KINDS = {bool: "true or false", str: "a text", int: "a whole number", float: "a number"}
_BOUNDS = {"ge": ("of at least", operator.ge), "gt": ("above", operator.gt), "le": ("at most", operator.le)}


def setting(
    default: Any, meaning: str, *, least: float = 0, above: float | None = None, most: float | None = None
) -> Any:
    """A setting, as a field of a dataclass; its type is a number, bool, str, Literal, Sequence[int] or
    Mapping[str, float].

    A number, and each of a mapping, is at least ``least``, or larger than ``above``, and at most ``most``.
    """
    bounds = {"ge": least} if above is None else {"gt": above}
    if most is not None:
        bounds["le"] = most
    about = {"meaning": meaning, "bounds": bounds}
    if isinstance(default, Mapping):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=about)
    return dataclasses.field(default=default, metadata=about)


def default_of(field: "dataclasses.Field[Any]") -> Any:
    """The default of a setting."""
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def setting_of(kind: "type[Settings]", name: str, default: Any) -> Any:
    """A setting of another class with a default of its own."""
    (field,) = (field for field in dataclasses.fields(kind) if field.name == name)
    return dataclasses.field(default=default, metadata=field.metadata)


@dataclass(frozen=True)
class Settings:
    """What the loop goes by, whatever is learned. Defaults are those of Litschko et al. 2023 (arXiv 2305.05295)."""

    steps: int = setting(200_000, "optimiser steps")
    epochs: int = setting(0, "passes over the data, in place of steps; the last step may begin another")
    batch_size: int = setting(64, "instances per optimiser step", least=1)
    lr: float = setting(2.0e-5, "peak learning rate", above=0)
    warmup: float = setting(5_000, "steps of linear warm-up; below 1: their share of the steps")
    schedule_steps: int | None = setting(
        None,
        "step at which the falling learning rate would be 0; default: steps. Beyond steps, training ends at a learning "
        "rate above 0, as published",
        least=1,
    )
    weight_decay: float = setting(0.01, "AdamW, not on bias and LayerNorm")
    clip: float = setting(1.0, "largest gradient norm; 0: no clipping")
    precision: Literal["fp32", "bf16", "fp16", "auto"] = setting(
        "fp32", "arithmetic of the training step; auto: bf16 where GPU or CPU computes in it, said in the log"
    )
    keep: Literal["last", "best"] = setting(
        "last", "the last weights (as published) or the best on the development set"
    )
    eval_every: int = setting(
        20_000, "steps between development scores; 0: after the last step alone, or with epochs after each"
    )
    checkpoint_every: int = setting(20_000, "steps between checkpoints; 0: only when asked to stop")
    log_every: int = setting(50, "steps that one point of the loss curve is averaged over", least=1)
    threads: int = setting(
        1, "CPU threads per training job; results are byte-identical for one number on one kind of CPU", least=1
    )

    @property
    def warmup_steps(self) -> int:
        return round(self.warmup * self.steps) if self.warmup < 1 else round(self.warmup)

    @property
    def falls_to(self) -> int:
        """The step at which the learning rate would be 0."""
        return self.steps if self.schedule_steps is None else self.schedule_steps

    def threads_each(self, processes: int) -> int:
        return max(1, self.threads // processes)

    def over(self, units: int, per_step: int) -> typing.Self:
        """With the steps that ``epochs`` take over data of ``units``, of which a step sees ``per_step``."""
        if not self.epochs:
            return self
        settled = dataclasses.replace(self, steps=-(-self.epochs * units // per_step))
        settled.check_schedule()
        return settled

    def check_schedule(self) -> None:
        """Raise UserError where the steps are known, and warm-up takes more or the learning rate is 0 before."""
        if self.steps and self.warmup_steps > self.steps:
            problem = f"{self.warmup_steps} of {self.steps} steps"
            raise UserError(_PLACE, "warmup", problem, "warm up for less, or for a share such as 0.1")
        if self.falls_to < self.steps:
            problem = f"the learning rate is 0 after {self.falls_to} of {self.steps} steps"
            raise UserError(_PLACE, "schedule_steps", problem, "write at least steps, or leave it out")

    def check(self) -> None:
        """Raise UserError where settings do not go together; a method's own checks come on top."""
        if self.steps and self.epochs:
            raise UserError(_PLACE, "epochs", f"{self.epochs} beside {self.steps} steps", "give one of the two")
        if not self.steps and not self.epochs:
            raise UserError(_PLACE, "steps", "0", "say how many optimiser steps or epochs to take")
        self.check_schedule()

    def plain(self) -> dict[str, Any]:
        """As JSON-plain values, without how often the run is saved: the result does not depend on it."""
        return {name: value for name, value in dataclasses.asdict(self).items() if name != "checkpoint_every"}


@dataclass(frozen=True)
class TextSettings(Settings):
    """What methods share whose data are texts."""

    token_budget: int = setting(
        16_384,
        "padded tokens per micro-batch; changes speed, not the batch; halved where memory runs out",
        least=1,
    )
    max_length: int = setting(512, "subword tokens per pair", least=8)  # special tokens take up to five
    dropout: float | None = setting(0.1, "hidden and attention dropout; null: what the starting model says", most=1)
    trainable: Literal["all", "embeddings"] = setting(
        "all", "what is trained; `embeddings`: those of pieces, and a ranker's head, while the layers are frozen"
    )


S = TypeVar("S", bound=Settings)


def parse_settings(settings: Mapping[str, Any], kind: type[S]) -> S:
    """Settings from a plain mapping; with ``epochs`` some defaults are others. Raises UserError for bad ones."""
    hints, fields = typing.get_type_hints(kind), {field.name: field for field in dataclasses.fields(kind)}
    for name, value in settings.items():
        if name not in fields:
            raise UserError(_PLACE, name, "unknown key", f"known keys are {', '.join(fields)}")
        _check(name, value, hints[name], fields[name].metadata["bounds"])
    parsed = kind(**{**(BY_EPOCHS if settings.get("epochs") else {}), **settings})
    parsed.check()
    return parsed


def describe_settings(kind: type[Settings]) -> str:
    """Lines for people: of each setting its name, its default, and what it means."""
    lines = [
        textwrap.fill(f"{field.name}={json.dumps(default_of(field))}  {field.metadata['meaning']}", 100,
                      initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False)
        for field in dataclasses.fields(kind)
    ]  # fmt: skip
    return "\n".join(lines)


def check_dev(settings: Settings, *, given: bool) -> None:
    """Raise UserError where the best weights are to be kept and no development set is ``given`` to choose them by."""
    if settings.keep == "best" and not given:
        raise UserError(_PLACE, "keep", "'best' needs a development set", "give dev, or write keep: last")


def check_precision(precision: str, device: str) -> None:
    """Raise UserError for fp16 on ``cpu``, which has no loss scaling."""
    if precision == "fp16" and device == "cpu":
        raise UserError(_PLACE, "precision", "fp16 needs a GPU", "write fp32 or bf16")


def _check(name: str, value: Any, hint: Any, bounds: Mapping[str, float]) -> None:
    kinds = typing.get_args(hint) or (hint,)
    if typing.get_origin(hint) is Sequence:
        if not isinstance(value, list | tuple) or not all(type(item) is int for item in value):
            raise UserError(_PLACE, name, f"{value!r} is not a list of whole numbers", "write one, such as [1, 3, 5]")
        return
    if typing.get_origin(hint) is Mapping:
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise UserError(_PLACE, name, f"{value!r} is no mapping of numbers", 'write one, such as {"mlm": 0.1}')
        for key, number in value.items():
            _check(f"{name}.{key}", number, float, bounds)
        return
    if typing.get_origin(hint) is Literal:
        if value not in kinds:
            raise UserError(_PLACE, name, f"{value!r} is not known", f"choose {' or '.join(kinds)}")
        return
    if value is None and types.NoneType in kinds:
        return
    kind = kinds[0]
    fits, wanted = isinstance(value, int | float if kind is float else kind), _KINDS[kind]
    if kind in (int, float):
        within = fits and not isinstance(value, bool) and math.isfinite(value)
        fits = within and all(_BOUNDS[bound][1](value, limit) for bound, limit in bounds.items())
        wanted += " " + " and ".join(f"{_BOUNDS[bound][0]} {limit:g}" for bound, limit in bounds.items())
    if not fits:
        raise UserError(_PLACE, name, f"{value!r} is not {wanted}", "write one")
