"""Opening and writing of models: stock transformers classes with one output, safetensors only, no code from folders."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging

from switchrank.errors import UserError
from switchrank.weights import refuse_pickle, stop_conversions

Model = Any
"""A transformers model. Its own type hints call every part a tensor or a module, which says less than nothing."""

_NOT_TOKENIZER = {"config.json", "train.json", "start.json", "README.md"}
_WEIGHTS = (".safetensors", ".bin", ".pt", ".h5", ".msgpack", ".onnx")


def open_model(name: str | Path, **changes: Any) -> Model:
    """A sequence classification model with one output, float32, from a folder or a hub name.

    A head that the folder lacks is drawn from torch's global generator: seed it first.

    Args:
        name: a folder, or a hub name that is cached or can be fetched.
        changes: config values to override where the model's kind of config has them, such as ``hidden_dropout_prob``.

    Raises:
        UserError: there is no such model here, it cannot be fetched, or it has no safetensors weights.
    """
    _must_exist(name, "config.json")
    refuse_pickle(name)
    stop_conversions()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(name, num_labels=1, trust_remote_code=False)
        for key, value in changes.items():
            if hasattr(config, key):
                setattr(config, key, value)
        return AutoModelForSequenceClassification.from_pretrained(
            name, config=config, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
        )
    except (OSError, ValueError) as error:
        refuse_pickle(name, str(error))
        raise _cannot(name, error) from error


def dropout_options(value: float | None) -> dict[str, float]:
    """What :func:`open_model` is told so that every kind of model drops this share; nothing for None."""
    names = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")
    return {} if value is None else dict.fromkeys(names, value)


def open_tokenizer(name: str | Path) -> Any:
    """The fast tokenizer of a folder or hub name.

    Raises:
        UserError: there is none, or only a slow one.
    """
    _must_exist(name, "tokenizer_config.json")
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise _cannot(name, error) from error
    if not tokenizer.is_fast:
        raise UserError(name, "tokenizer", "not a fast tokenizer", "give a model that has a tokenizer.json")
    return tokenizer


def save_model(model: Model, folder: Path) -> None:
    """Write ``config.json`` and ``model.safetensors``; equal weights give equal bytes.

    The config asks sentence-transformers for raw logits: its default for one output is a sigmoid.
    """
    model.config.sentence_transformers = {"activation_fn": "torch.nn.modules.linear.Identity", "version": "5.0.0"}
    model.config.dtype = torch.float32
    logging.disable_progress_bar()
    model.save_pretrained(folder)


def copy_tokenizer(source: Path, folder: Path) -> None:
    """Copy a model folder's tokenizer files, byte for byte."""
    for file in sorted(source.iterdir()):
        skip = file.name in _NOT_TOKENIZER or file.name.endswith(_WEIGHTS) or file.name.endswith(".index.json")
        if file.is_file() and not skip and not file.name.startswith("."):
            shutil.copyfile(file, folder / file.name)


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys, indented, one line end at the end."""
    path.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """The value of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def _must_exist(name: str | Path, file: str) -> None:
    looks_like_path = isinstance(name, Path) or str(name).startswith((".", "/", "~")) or str(name).count("/") > 1
    if looks_like_path and not Path(name, file).is_file():
        raise UserError(name, "", f"no such model folder ({file} is missing)", "correct the path, or make it first")


def _cannot(name: str | Path, error: Exception) -> UserError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    offline = " (offline mode is on)" if os.environ.get("HF_HUB_OFFLINE") in {"1", "true", "TRUE"} else ""
    return UserError(
        name,
        "model",
        f"cannot be opened{offline}: {reason}",
        "fetch it where there is a network, or give a folder with config.json and model.safetensors",
    )
