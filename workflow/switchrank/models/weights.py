"""Weights in model folders: safetensors are read, pickles never are; ``switchrank import-model`` converts them once."""

from __future__ import annotations

import os
from pathlib import Path

from switchrank.core.errors import UserError

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


def check_safetensors(file: Path) -> None:
    """See that a file of weights is whole: its header, and the length that the header promises; no weight is read.

    Raises:
        UserError: it is missing, empty, cut short or no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    if not file.is_file():
        raise UserError(file.parent, file.name, "no such file", "fetch the model again, with its weights")
    if not file.stat().st_size:
        raise UserError(file.parent, file.name, "empty", "fetch the model again")
    try:
        with safe_open(file, framework="np"):
            pass
    except (SafetensorError, OSError) as error:
        problem = f"truncated, or not a file of safetensors ({error})"
        raise UserError(file.parent, file.name, problem, "fetch the model again") from error


def stop_conversions() -> None:
    """Keep transformers from asking a public service for converted weights of models that have none."""
    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"
