"""A training setting is defined once: sections of the config and the library agree on default, bounds and meaning."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from pydantic import ValidationError

from switchrank.config.systems import Optimisation, Train, Tuning
from switchrank.core.errors import UserError
from switchrank.train.methods.cross_encoder import CrossEncoderSettings
from switchrank.train.settings import describe_settings, parse_settings

FIELDS = {field.name: field for field in dataclasses.fields(CrossEncoderSettings)}
BESIDE = {"steps": 1000, "warmup": 0}
VALUES = [0, 1, -1, 9, 0.5, 1.5, -0.5, 2000, math.nan, math.inf, True, False, None, "best", "bf16", "bce", "1", [], {}]


def accepted_by_library(settings: dict[str, Any]) -> bool:
    try:
        parse_settings(settings, CrossEncoderSettings)
    except UserError:
        return False
    return True


def accepted_by_config(settings: dict[str, Any]) -> bool:
    try:
        Train.model_validate(settings)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", Optimisation.model_fields)
def test_default_and_meaning_are_those_of_the_library(name):
    assert Optimisation.model_fields[name].default == FIELDS[name].default
    assert Optimisation.model_fields[name].description == FIELDS[name].metadata["meaning"]


@pytest.mark.parametrize("name", sorted({*Train.model_fields} - {"device", "processes", "warmup", "schedule_steps"}))
def test_config_and_library_allow_the_same_values(name):
    for value in VALUES:
        settings = BESIDE | {name: value}
        assert accepted_by_config(settings) == accepted_by_library(settings), value


def test_only_settings_of_a_run_are_no_keys_of_a_section():
    assert {*FIELDS} - {*Train.model_fields} == {"epochs", "log_every"}
    assert {*FIELDS} - {*Tuning.model_fields} == {"log_every", "threads"}


def test_training_by_epochs_has_the_same_defaults_in_a_section_and_in_the_library():
    section, library = Tuning(epochs=3), parse_settings({"epochs": 3}, CrossEncoderSettings)
    own = {"lr", "checkpoint_every"}
    plain = {name: value for name, value in section.plain().items() if name not in own}
    assert plain == {name: getattr(library, name) for name in plain}


def test_the_command_line_tells_every_setting_with_its_default():
    text = describe_settings(CrossEncoderSettings)
    for name, field in FIELDS.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"  {name}=")]
        assert field.metadata["meaning"].split()[0] in line
    assert '  objective="bce"  ' in text
