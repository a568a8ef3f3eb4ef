"""The training sections. Their keys are settings of a method, each defined in one place for all who take it."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, create_model, model_validator

from switchrank.config.sections import Count, Name, Section, Whole
from switchrank.core.limits import LARGEST
from switchrank.train.methods.cross_encoder import CrossEncoderSettings
from switchrank.train.settings import BY_EPOCHS, Settings


def setting_fields(kind: type[Settings], names: Collection[str], **defaults: Any) -> dict[str, Any]:
    """Settings of a method as fields of a section: type, default, bounds and meaning, as ``create_model`` takes them.

    Args:
        kind: the method's settings.
        names: which of them.
        defaults: of those whose default is another in this section.
    """
    hints, fields, made = typing.get_type_hints(kind), {field.name: field for field in dataclasses.fields(kind)}, {}
    for name in names:
        kinds, told = {hints[name], *typing.get_args(hints[name])}, fields[name].metadata
        bounds = dict(told["bounds"]) if kinds & {int, float} else {}
        if int in kinds:
            bounds.setdefault("le", LARGEST)
        if name == "steps" and "epochs" not in names:  # which 0 would leave it to
            bounds["ge"] = 1
        default = defaults.get(name, fields[name].default)
        made[name] = (hints[name], Field(default, description=told["meaning"], **bounds))
    return made


if TYPE_CHECKING:  # a checker of types knows fields by their classes, pydantic by create_model

    class Optimisation(Section, CrossEncoderSettings):
        pass

    class _Threads(Optimisation):
        pass

    class _FewLabels(Optimisation):
        pass

else:
    _FIELDS = partial(setting_fields, CrossEncoderSettings)
    _COMMON = [field.name for field in dataclasses.fields(CrossEncoderSettings)]
    for name in ("epochs", "log_every", "threads"):
        _COMMON.remove(name)
    Optimisation = create_model("Optimisation", __base__=Section, **_FIELDS(_COMMON))
    _Threads = create_model("_Threads", __base__=Optimisation, **_FIELDS(["threads"]))
    _FewLabels = create_model(
        "_FewLabels",
        __base__=Optimisation,
        **_FIELDS(["lr", *BY_EPOCHS], lr=1.0e-5, **BY_EPOCHS),
    )


class Train(_Threads):
    device: Literal["cpu", "cuda"] = Field("cpu", description="`cuda` demands a GPU for each process (resource gpu)")
    processes: Count = Field(
        1,
        description="processes that share each optimiser step, on a GPU each or with their share of `threads`; a run "
        "goes on with any number of them, and a change makes nothing train again",
    )


class Warmup(Optimisation):
    corpus: Name = Field(description="corpus that the starting model is trained on first")


class Tuning(_FewLabels):
    epochs: Count = Field(
        5,
        description="passes over the training pairs, in which each label occurs `rounds` times: so every number of "
        "labels is seen as often",
    )
    steps: Whole = Field(
        0, description="optimiser steps in place of epochs: few labels are then seen more often than many"
    )

    @model_validator(mode="after")
    def _one(self) -> Tuning:
        if self.steps and "epochs" in self.model_fields_set:
            raise ValueError("steps beside epochs: give one of the two")
        return self

    def plain(self, *leave_out: str) -> dict[str, Any]:
        """The section as plain JSON values; epochs count where no steps are given."""
        return super().plain(*leave_out) | ({"epochs": 0} if self.steps else {})
