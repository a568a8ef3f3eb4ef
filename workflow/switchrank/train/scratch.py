"""A small BERT of our own shape that learns from scratch, by two initialisations: aligned word vectors, and mimetic.

Mimetic: attention starts out comparing tokens (Trockman and Kolter 2023, arXiv 2305.09828). In trained transformers the
product of query and key weights is close to a multiple of the identity, so that a token attends to tokens like itself,
and the product of value and output weights is close to minus the identity. Starting there lets a small cross-encoder
find matching words from the first steps on. The paper fits both products by a singular value decomposition; here query
and key weights start equal and orthogonal, which gives the same pattern.

Two additions are for pairs of texts. A token is most like itself: in the first layer, query weights change the sign of
the direction in which the two segments' embeddings differ, so that it prefers its like in the *other* text. And segment
embeddings get half the size of word embeddings, pooler and classifier weights that of any other layer, so that segments
can be told apart and the signal reaches the loss.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BertConfig, BertForSequenceClassification

from switchrank.core.errors import UserError
from switchrank.models.presets import PRESETS
from switchrank.models.pretrained import Model, open_tokenizer
from switchrank.models.writing import save_model
from switchrank.train.embeddings import cutter, fit_width, mix, piece_vectors
from switchrank.train.start import INITS

VALUE_OUTPUT_NOISE = 0.2
WORD_STD = 0.1
SEGMENT_STD = 0.05


def _orthogonal(size: int, generator: torch.Generator) -> torch.Tensor:
    return torch.nn.init.orthogonal_(torch.empty(size, size), generator=generator)


@torch.no_grad()
def _mimetic(model: Model, generator: torch.Generator) -> None:
    """Change a freshly made BERT model in place: embeddings, attention, pooler and classifier."""
    usual = model.config.initializer_range
    size = model.config.hidden_size
    embeddings = model.bert.embeddings
    embeddings.word_embeddings.weight.mul_(WORD_STD / usual)
    embeddings.token_type_embeddings.weight.mul_(SEGMENT_STD / usual)
    embeddings.position_embeddings.weight.mul_(0.5)
    for layer in model.bert.encoder.layer:
        attention = layer.attention
        query, value = _orthogonal(size, generator), _orthogonal(size, generator)
        noise = torch.randn(size, size, generator=generator) * (VALUE_OUTPUT_NOISE / math.sqrt(size))
        attention.self.query.weight.copy_(query)
        attention.self.key.weight.copy_(query)
        attention.self.value.weight.copy_(value)
        attention.output.dense.weight.copy_((noise - torch.eye(size)) @ value.T)
    first, segments = model.bert.encoder.layer[0].attention.self.query.weight, embeddings.token_type_embeddings.weight
    axis = torch.nn.functional.normalize(segments[0] - segments[1], dim=0)
    first.copy_(first - 2 * torch.outer(first @ axis, axis))  # mirrored along the difference of the two segments
    for head in (model.bert.pooler.dense, model.classifier):
        head.weight.mul_(1 / (usual * math.sqrt(size)))


def make_model(
    tokenizer: Path,
    folder: Path,
    preset: str | Mapping[str, Any],
    init: list[str],
    vectors: Mapping[str, str | Path],
    share: float,
) -> dict[str, Any]:
    """Write a new model into ``folder``; the arguments and what is returned are those of ``build_start``."""
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
        _mimetic(model, generator)
    if "vectors" in init:
        weights = model.get_input_embeddings().weight
        rows, found = piece_vectors(vectors, cutter(opened), len(weights))
        rotation = _orthogonal(weights.shape[1], generator).numpy()
        mixed = mix(weights.detach().numpy(), fit_width(rows, weights.shape[1], rotation), found, share)
        with torch.no_grad():
            weights.copy_(torch.from_numpy(np.ascontiguousarray(mixed)))
    save_model(model, folder, tokenizer)
    record: dict[str, Any] = {"preset": preset, "shape": shape, "init": init}
    return record | ({"vectors": sorted(vectors), "vectors_share": share} if "vectors" in init else {})
