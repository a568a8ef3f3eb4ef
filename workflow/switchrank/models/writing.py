"""Writing of model folders: weights as safetensors, tokenizer files as they were."""

import shutil
from pathlib import Path

import torch

from switchrank.models.folder import ORIGIN_RECORD, STARTING_FILES, TOKENIZER_FILES, TRAINED_FILES
from switchrank.models.plain import PlainRanker
from switchrank.models.pretrained import Model

_NOT_TOKENIZER = {*STARTING_FILES, *TRAINED_FILES, ORIGIN_RECORD} - {*TOKENIZER_FILES}
_WEIGHTS = (".safetensors", ".bin", ".pt", ".h5", ".msgpack", ".onnx")


def save_model(model: Model, folder: Path, tokenizer: Path | None = None) -> None:
    """Write ``config.json`` and ``model.safetensors``, equal weights as equal bytes, and the files of a tokenizer.

    The config asks sentence-transformers for raw logits: its default for one output is a sigmoid.
    """
    model.config.sentence_transformers = {"activation_fn": "torch.nn.modules.linear.Identity", "version": "5.0.0"}
    _prepare(model)
    model.save_pretrained(folder)
    if tokenizer:
        copy_tokenizer(tokenizer, folder)


def save_encoder(model: Model, folder: Path) -> None:
    """The same of a model without its head, and without a tokenizer."""
    vars(model.config).pop("sentence_transformers", None)
    _prepare(model)
    if isinstance(model, PlainRanker):
        model.save_encoder(folder)
        return
    model.config.num_labels = 2  # what a config without labels says
    getattr(model, model.base_model_prefix).save_pretrained(folder)


def _prepare(model: Model) -> None:
    model.config.dtype = torch.float32
    if not isinstance(model, PlainRanker):
        from transformers.utils import logging

        logging.disable_progress_bar()


def copy_tokenizer(tokenizer: Path, folder: Path) -> None:
    """Copy the files of a tokenizer out of the folder of a model."""
    for file in sorted(tokenizer.iterdir()):
        skip = file.name in _NOT_TOKENIZER or file.name.endswith(_WEIGHTS) or file.name.endswith(".index.json")
        if file.is_file() and not skip and not file.name.startswith("."):
            shutil.copyfile(file, folder / file.name)
