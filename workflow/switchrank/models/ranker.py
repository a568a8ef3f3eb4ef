"""Opening a trained ranker: a Hugging Face sequence-classification folder with one label, its tokenizer and limits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from switchrank.core.errors import UserError
from switchrank.core.precision import PRECISIONS, find_devices, find_precision
from switchrank.models.folder import TRAINING_RECORD
from switchrank.models.pretrained import open_both

TRUNCATIONS = ("longest_first", "only_second")


@dataclass(frozen=True)
class Opened:
    """A model ready to score: in eval mode on ``device``; pairs hold at most ``max_length`` tokens."""

    model: Any
    tokenizer: Any
    device: torch.device
    dtype: torch.dtype | None
    max_length: int
    truncation: str


def choose_precision(precision: str, device: torch.device) -> torch.dtype | None:
    """The dtype of products, None for plain fp32; ``auto`` is :func:`switchrank.core.precision.find_precision`."""
    if precision not in (*PRECISIONS, "auto"):
        raise UserError("rank", "precision", f"unknown value {precision}", "write fp32, bf16, fp16 or auto")
    return PRECISIONS[find_precision(precision, device)]


def _trained_with(folder: Path) -> dict[str, Any]:
    """The training settings that ``train.json`` records, or nothing."""
    record = folder / TRAINING_RECORD
    if not record.is_file():
        return {}
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
        return dict(told.get("params", {}))
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(
            record, "", f"not a training record ({error})", "delete it, or train the model again"
        ) from error


def _longest(tokenizer: Any, config: Any) -> int:
    """What tokenizer and position embeddings allow; RoBERTa's positions start after its padding id."""
    positions = getattr(config, "max_position_embeddings", None) or tokenizer.model_max_length
    if "roberta" in config.model_type or config.model_type in ("camembert", "xmod"):
        positions -= config.pad_token_id + 1
    return int(min(tokenizer.model_max_length, positions))


def open_model(
    model: str | Path,
    *,
    device: str = "cpu",
    threads: int = 1,
    precision: str = "fp32",
    max_length: int | None = None,
    truncation: str | None = None,
) -> Opened:
    """Load a ranker; sets torch's number of CPU threads.

    ``max_length`` and ``truncation`` are by default those it was trained with (``train.json``), else the longest pair
    its position embeddings hold and ``longest_first``.

    Raises:
        UserError: no model folder, one that is damaged or no ranker (:func:`switchrank.models.pretrained.open_both`),
            an unknown device, precision or truncation.
        NoGpuError: a GPU was asked for and none is there.
    """
    (target,) = find_devices(device, 1)
    dtype = choose_precision(precision, target)
    torch.set_num_threads(max(1, threads))
    folder = Path(model)
    loaded, tokenizer = open_both(folder, new_head=False, device=target)
    trained = _trained_with(folder)
    longest = _longest(tokenizer, loaded.config)
    length = min(max_length or trained.get("max_length") or longest, longest)
    cut = truncation or trained.get("truncation") or "longest_first"
    if cut not in TRUNCATIONS:
        raise UserError(folder, "truncation", f"unknown value {cut}", f"write {' or '.join(TRUNCATIONS)}")
    return Opened(loaded.eval().to(target), tokenizer, target, dtype, length, cut)
