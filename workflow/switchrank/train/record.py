"""What a trained model says about how it was made."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from switchrank import __version__
from switchrank.core.instructions import processor
from switchrank.core.json_files import read_json
from switchrank.train.devices import describe_device


def made_with(device: torch.device) -> dict[str, Any]:
    """What the numbers depend on beside settings and inputs: versions, the device, and the processor that finished."""
    packages = ("torch", "transformers", "tokenizers", "numpy")
    own = {"switchrank": __version__, "python": platform.python_version()}
    return {
        "versions": own | {name: version(name) for name in packages},
        "device": describe_device(device),
        "processor": processor(),
    }


def start_record(start: str | Path) -> Mapping[str, Any]:
    """What the starting folder's ``start.json`` says; empty where there is none."""
    file = Path(start, "start.json")
    return read_json(file) if file.is_file() else {}


def describe_start(start: Mapping[str, Any]) -> str:
    """One phrase for the model card."""
    if "model" in start:
        return f"the weights of {start['model']}"
    if "preset" in start:
        named = start["preset"] if isinstance(start["preset"], str) else "own shape"
        return f"scratch ({named}; initialisation: {', '.join(start['init']) or 'usual'})"
    return "an earlier checkpoint"
