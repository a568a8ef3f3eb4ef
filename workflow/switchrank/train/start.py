"""The starting checkpoint of a run: the same bytes for every system, so that only training data differ.

Either a small BERT of our own shape (a preset) over the run's tokenizer, with named initialisations that let it learn
from scratch, or a model that exists already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.core.seeds import derive_seed
from switchrank.models.finished import copy_model
from switchrank.models.mimetic import mimetic, orthogonal
from switchrank.models.presets import PRESETS
from switchrank.models.pretrained import Model, open_tokenizer
from switchrank.models.writing import copy_tokenizer, save_model
from switchrank.train.embeddings import cutter, fit_width, mix, piece_vectors

INITS = ("mimetic", "vectors")


def build_start(
    *,
    out: str | Path,
    tokenizer: str | Path | None = None,
    model: str | Path | None = None,
    preset: str | Mapping[str, Any] = "tiny",
    init: Sequence[str] = ("mimetic", "vectors"),
    vectors: Mapping[str, str | Path] | None = None,
    vectors_share: float = 1.0,
    seed: int = 1,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write a folder with tokenizer, config, initial weights and ``start.json`` (what was done).

    Args:
        out: the folder.
        tokenizer: folder of the run's tokenizer; then a model of the preset's shape is made.
        model: or: a folder or hub name; it is copied, with a new head of one output where it has none.
        preset: ``tiny``, ``small`` or a mapping of BERT config values.
        init: any of ``mimetic`` (:mod:`switchrank.models.mimetic`) and ``vectors`` (word embeddings started from
            aligned word vectors, :mod:`switchrank.train.embeddings`), in that order.
        vectors: per language the prefix of an aligned store; needed for ``vectors``.
        vectors_share: share of the norm of a word embedding that comes from the vector.
        seed: seed of everything drawn here.
        overwrite: replace an older folder ``out`` whatever it holds.

    Returns:
        What ``start.json`` holds.

    Raises:
        UserError: both or neither of tokenizer and model, an unknown preset or init, a model that cannot be had;
            ``out`` holds other things.
    """
    if (tokenizer is None) == (model is None):
        raise UserError(out, "start", "give either a tokenizer (with a preset) or a model", "name exactly one of them")
    torch.manual_seed(derive_seed(seed, "start"))
    with atomic_folder(out, "a starting model", overwrite=overwrite) as folder:
        if model is not None:
            record = copy_model(model, folder, new_head=True)
        else:
            record = _from_preset(Path(str(tokenizer)), folder, preset, init, dict(vectors or {}), vectors_share)
        record["seed"] = seed
        write_json(folder / "start.json", record)
    return record


def _from_preset(
    tokenizer: Path,
    folder: Path,
    preset: str | Mapping[str, Any],
    init: Sequence[str],
    vectors: dict[str, str | Path],
    share: float,
) -> dict[str, Any]:
    from transformers import BertConfig, BertForSequenceClassification

    opened = open_tokenizer(tokenizer)
    shape = _shape(preset, tokenizer)
    positions = min(opened.model_max_length, 512)
    config = BertConfig(vocab_size=len(opened), max_position_embeddings=positions, **shape)
    config.num_labels = 1
    model: Model = BertForSequenceClassification(config)
    _initialise(model, opened, init, vectors, share)
    save_model(model, folder)
    copy_tokenizer(tokenizer, folder)
    record: dict[str, Any] = {"preset": preset, "shape": shape, "init": list(init)}
    return record | ({"vectors": sorted(vectors), "vectors_share": share} if "vectors" in init else {})


def _shape(preset: str | Mapping[str, Any], place: Path) -> dict[str, Any]:
    if not isinstance(preset, str):
        return dict(preset)
    if preset not in PRESETS:
        raise UserError(place, f"preset {preset}", "unknown preset", f"choose one of {', '.join(PRESETS)}")
    return PRESETS[preset]


def _initialise(
    model: Model, tokenizer: Any, init: Sequence[str], vectors: dict[str, str | Path], share: float
) -> None:
    unknown = [name for name in init if name not in INITS]
    if unknown:
        raise UserError("start", "init", f"unknown initialisation {unknown[0]}", f"choose from {', '.join(INITS)}")
    if "vectors" in init and not vectors:
        raise UserError("start", "init", "'vectors' needs aligned word vectors", "give vectors, or leave it out")
    generator = torch.Generator().manual_seed(torch.initial_seed())
    if "mimetic" in init:
        mimetic(model, generator)
    if "vectors" in init:
        weights = model.get_input_embeddings().weight
        rows, found = piece_vectors(vectors, cutter(tokenizer), len(weights))
        rotation = orthogonal(weights.shape[1], generator).numpy()
        mixed = mix(weights.detach().numpy(), fit_width(rows, weights.shape[1], rotation), found, share)
        with torch.no_grad():
            weights.copy_(torch.from_numpy(np.ascontiguousarray(mixed)))
