"""Mimetic initialisation: attention that starts out comparing tokens (Trockman and Kolter 2023, arXiv 2305.09828).

Trained transformers show a pattern: the product of query and key weights is close to a multiple of the identity, so
that a token attends to tokens like itself, and the product of value and output weights is close to minus the identity.
Starting there lets a small cross-encoder find matching words from the first steps on. The paper fits both products by
a singular value decomposition; here query and key weights start equal and orthogonal, which gives the same pattern.

Two additions are for pairs of texts. A token is most like itself: in the first layer, query weights change the sign of
the direction in which the two segments' embeddings differ, so that it prefers its like in the *other* text. And segment
embeddings get half the size of word embeddings, pooler and classifier weights that of any other layer, so that segments
can be told apart and the signal reaches the loss.
"""

from __future__ import annotations

import math

import torch

from switchrank.models.pretrained import Model

VALUE_OUTPUT_SCALE = 1.0
VALUE_OUTPUT_NOISE = 0.2
WORD_STD = 0.1
SEGMENT_STD = 0.05


def orthogonal(size: int, generator: torch.Generator) -> torch.Tensor:
    """A random orthogonal matrix, float32 of shape ``(size, size)``."""
    return torch.nn.init.orthogonal_(torch.empty(size, size), generator=generator)


@torch.no_grad()
def mimetic(model: Model, generator: torch.Generator) -> None:
    """Change a freshly made BERT model in place: embeddings, attention, pooler and classifier.

    Word embeddings get a standard deviation of 0.1, segment embeddings 0.05; position embeddings are halved.
    """
    usual = model.config.initializer_range
    size = model.config.hidden_size
    embeddings = model.bert.embeddings
    embeddings.word_embeddings.weight.mul_(WORD_STD / usual)
    embeddings.token_type_embeddings.weight.mul_(SEGMENT_STD / usual)
    embeddings.position_embeddings.weight.mul_(0.5)
    for layer in model.bert.encoder.layer:
        attention = layer.attention
        query, value = orthogonal(size, generator), orthogonal(size, generator)
        noise = torch.randn(size, size, generator=generator) * (VALUE_OUTPUT_NOISE / math.sqrt(size))
        attention.self.query.weight.copy_(query)
        attention.self.key.weight.copy_(query)
        attention.self.value.weight.copy_(value)
        attention.output.dense.weight.copy_((noise - VALUE_OUTPUT_SCALE * torch.eye(size)) @ value.T)
    first, segments = model.bert.encoder.layer[0].attention.self.query.weight, embeddings.token_type_embeddings.weight
    axis = torch.nn.functional.normalize(segments[0] - segments[1], dim=0)
    first.copy_(first - 2 * torch.outer(first @ axis, axis))  # mirrored along the difference of the two segments
    for head in (model.bert.pooler.dense, model.classifier):
        head.weight.mul_(1 / (usual * math.sqrt(size)))
