"""The starting checkpoint of a run: the same bytes for every system, so that only training data differ.

Either a small BERT of our own shape (a preset) over the run's tokenizer, with named initialisations that let it learn
from scratch, or a model that exists already. Nothing heavy is imported at the top, so that the command's help is quick.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.core.seeds import derive_seed
from switchrank.models.presets import PRESETS

INITS = ("mimetic", "vectors")


def build_start(
    *,
    out: str | Path,
    tokenizer: str | Path | None = None,
    model: str | Path | None = None,
    preset: str | Mapping[str, Any] = "tiny",
    init: Sequence[str] | None = None,
    vectors: Mapping[str, str | Path] | None = None,
    vectors_share: float = 1.0,
    seed: int = 1,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write a folder with tokenizer, config, initial weights and ``start.json`` (what was done).

    A small BERT over a tokenizer of yours, or an existing model.

      mimetic   query and key weights start equal, value times output near minus identity (arXiv 2305.09828):
                without it a small model from scratch hardly learns to match words
      vectors   word embeddings start from aligned word vectors: translations start close together

    Args:
        out: folder to write.
        tokenizer: folder of a tokenizer: make a small model over it.
        model: folder or hub name of a model to start from, with a new head of one output where it has none.
        preset: tiny or small; or a mapping of BERT config values.
        init: mimetic, vectors (default: both that can be had), done in that order.
        vectors: aligned vector stores.
        vectors_share: their share of the norm of a word embedding.
        seed: of the weights.
        overwrite: replace the folder whatever it holds.

    Returns:
        What ``start.json`` holds.

    Raises:
        UserError: both or neither of tokenizer and model, an unknown preset or init, a model that cannot be had;
            ``out`` holds other things.
    """
    import torch

    if (tokenizer is None) == (model is None):
        problem = "none of them given" if model is None else "both given"
        raise UserError("switchrank train start", "--tokenizer, --model", problem, "choose one; see --help")
    torch.manual_seed(derive_seed(seed, "start"))
    with atomic_folder(out, "a starting model", overwrite=overwrite) as folder:
        if tokenizer is None:
            from switchrank.models.finished import copy_model

            record = copy_model(str(model), folder, new_head=True)
        else:
            possible = INITS if vectors else INITS[:1]
            named = list(possible if init is None else init)
            record = _from_preset(Path(tokenizer), folder, preset, named, vectors or {}, vectors_share)
        record["seed"] = seed
        write_json(folder / "start.json", record)
    return record


def _from_preset(
    tokenizer: Path,
    folder: Path,
    preset: str | Mapping[str, Any],
    init: list[str],
    vectors: Mapping[str, str | Path],
    share: float,
) -> dict[str, Any]:
    import numpy as np
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    from switchrank.models.mimetic import mimetic, orthogonal
    from switchrank.models.pretrained import Model, open_tokenizer
    from switchrank.models.writing import copy_tokenizer, save_model
    from switchrank.train.embeddings import cutter, fit_width, mix, piece_vectors

    if isinstance(preset, str) and preset not in PRESETS:
        raise UserError(tokenizer, f"preset {preset}", "unknown preset", f"choose one of {', '.join(PRESETS)}")
    unknown = [name for name in init if name not in INITS]
    if unknown:
        raise UserError("start", "init", f"unknown initialisation {unknown[0]}", f"choose from {', '.join(INITS)}")
    if "vectors" in init and not vectors:
        raise UserError("start", "init", "'vectors' needs aligned word vectors", "give vectors, or leave it out")
    opened = open_tokenizer(tokenizer)
    shape = PRESETS[preset] if isinstance(preset, str) else dict(preset)
    positions = min(opened.model_max_length, 512)
    config = BertConfig(vocab_size=len(opened), max_position_embeddings=positions, **shape)
    config.num_labels = 1
    model: Model = BertForSequenceClassification(config)
    generator = torch.Generator().manual_seed(torch.initial_seed())
    if "mimetic" in init:
        mimetic(model, generator)
    if "vectors" in init:
        weights = model.get_input_embeddings().weight
        rows, found = piece_vectors(vectors, cutter(opened), len(weights))
        rotation = orthogonal(weights.shape[1], generator).numpy()
        mixed = mix(weights.detach().numpy(), fit_width(rows, weights.shape[1], rotation), found, share)
        with torch.no_grad():
            weights.copy_(torch.from_numpy(np.ascontiguousarray(mixed)))
    save_model(model, folder)
    copy_tokenizer(tokenizer, folder)
    record: dict[str, Any] = {"preset": preset, "shape": shape, "init": init}
    return record | ({"vectors": sorted(vectors), "vectors_share": share} if "vectors" in init else {})
