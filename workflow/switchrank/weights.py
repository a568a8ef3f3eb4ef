"""Weights in model folders: safetensors are read, pickles never are; ``switchrank import-model`` converts them once."""

from __future__ import annotations

import os
from pathlib import Path

from switchrank.errors import UserError

PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")
SAFETENSORS = ("model.safetensors", "model.safetensors.index.json")


def has_safetensors(folder: str | Path) -> bool:
    """Does a folder hold safetensors weights?"""
    return any(Path(folder, name).is_file() for name in SAFETENSORS)


def refuse_pickle(model: str | Path, reason: str = "") -> None:
    """Say which command converts the weights, where a folder has a pickle only, or a hub name no safetensors.

    Args:
        model: folder or hub name.
        reason: what transformers said when it could not open a hub name.

    Raises:
        UserError: in that case.
    """
    if Path(model).is_dir():
        only_pickle = not has_safetensors(model) and any(Path(model, name).is_file() for name in PICKLES)
    else:
        only_pickle = "cannot be loaded with `safetensors`" in reason
    if only_pickle:
        problem = "its weights are only a pickle, which can run any code"
        todo = (
            f"convert it to safetensors once, `switchrank import-model --model {model} --out FOLDER`, and give FOLDER"
        )
        raise UserError(model, "model", problem, todo)


def stop_conversions() -> None:
    """Keep transformers from asking a public service for converted weights of models that have none."""
    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"
