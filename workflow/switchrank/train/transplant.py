"""Transplanting: a model trained on the source language gets embeddings for the words of other languages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from switchrank.core.atomic import atomic_folder
from switchrank.core.json_files import write_json
from switchrank.models.pretrained import CPU, open_both
from switchrank.models.writing import copy_tokenizer, save_model
from switchrank.train.embeddings import cutter, translated_pieces


def transplant_embeddings(
    *, model: str | Path, lexicons: Mapping[str, str | Path], out: str | Path, overwrite: bool = False
) -> dict[str, Any]:
    """Copy a model; pieces of target-language words only start from their English translations' embeddings.

    See :func:`switchrank.train.embeddings.translated_pieces` (WECHSEL, Minixhofer et al. 2022).

    Args:
        model: folder of a model trained on the source language, its tokenizer covering the target languages.
        lexicons: per target language a lexicon (source to target words).
        out: the new folder.
        overwrite: replace an older folder ``out`` whatever it holds.

    Returns:
        What ``start.json`` holds, with the number of ``replaced`` pieces.
    """
    opened, tokenizer = open_both(model, device=CPU)
    weights = opened.get_input_embeddings().weight
    rows, replaced = translated_pieces(weights.detach().numpy(), lexicons, cutter(tokenizer))
    with torch.no_grad():
        weights.copy_(torch.from_numpy(rows))
    record = {"init": ["transplant"], "languages": sorted(lexicons), "replaced": replaced}
    with atomic_folder(out, "a transplanted model", overwrite=overwrite) as folder:
        save_model(opened, folder)
        copy_tokenizer(Path(model), folder)
        write_json(folder / "start.json", record)
    return record
