"""The forward pass of BERT and RoBERTa rankers without padding: the tokens of all pairs of a batch lie end to end.

It computes the same logits as the stock transformers classes, up to rounding, from the same weights, with less work:

- linear layers see real tokens only, and attention runs over pairs of equal length;
- a ranker's logit depends on the first token of a pair alone, so the last layer computes keys and values of all tokens
  but everything else of first tokens only;
- query, key and value are one product, which goes to oneDNN on a CPU where it is wide: faster than MKL on some machines
  and never much slower. A model that is only used has its weights laid out once for that.

Models of other classes, and cases the fast way does not cover, take the stock forward pass.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from switchrank.models.plain import CLASSES, PlainRanker

Forward = Callable[[Mapping[str, Tensor]], Tensor]
"""From padded inputs on the CPU (int64 ``(pairs, longest)``) to logits ``(pairs,)`` on the model's device."""
Dense = Callable[[Tensor], Tensor]
Model = Any
_SMALLEST = 256
"""Below this width oneDNN's products are slower than MKL's."""
_ROWS = 2048
"""Tokens that the layout of weights is chosen for; other numbers work too."""


def stock_forward(model: Model) -> Forward:
    def forward(inputs: Mapping[str, Tensor]) -> Tensor:
        logits: Tensor = model(**_moved(inputs, model.device)).logits
        return logits[:, 0]

    return forward


def training_forward(model: Model) -> Forward:
    """A forward pass through which gradients flow to the model's parameters; mind autocast and ``model.train()``."""
    if not covered(model):
        return stock_forward(model)
    packed, stock = _packed_forward(model, _live), stock_forward(model)

    def forward(inputs: Mapping[str, Tensor]) -> Tensor:
        return packed(inputs) if _attends(model) else stock(inputs)

    return forward


def ranking_forward(model: Model, dtype: torch.dtype | None) -> Forward:
    """A forward pass of a model in eval mode whose weights do not change any more; call it in inference mode.

    Linear layers and attention compute in ``dtype`` (None: float32), norms and sums in float32.
    """
    device = model.device
    if device.type != "cpu" or not covered(model):
        live = training_forward(model)

        def forward(inputs: Mapping[str, Tensor]) -> Tensor:
            with torch.autocast(device.type, dtype=dtype, enabled=dtype is not None):
                return live(inputs)

        return forward
    with torch.inference_mode():
        return _packed_forward(model, partial(_frozen, dtype or torch.float32))


def _moved(inputs: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """The inputs on the model's device; from pinned memory, so that a GPU need not be waited for."""
    if device.type == "cpu":
        return dict(inputs)
    return {name: tensor.pin_memory().to(device, non_blocking=True) for name, tensor in inputs.items()}


def covered(model: Model) -> bool:
    if isinstance(model, PlainRanker):
        return True
    config = model.config
    known = type(model).__name__ == CLASSES.get(config.model_type)
    plain = known and not (config.is_decoder or config.add_cross_attention)
    return plain and getattr(config, "position_embedding_type", "absolute") == "absolute"


def _attends(model: Model) -> bool:
    """Is there attention without padding here? On a GPU only in half precision, and not with dropout in it."""
    if model.device.type == "cpu":
        return True
    dropped = model.training and model.config.attention_probs_dropout_prob > 0
    if dropped or not torch.is_autocast_enabled(model.device.type):
        return False
    return torch.cuda.get_device_capability(model.device) >= (8, 0)


@dataclass(frozen=True)
class Packed:
    """The tokens of a batch end to end, on a device; pairs by falling length.

    Attributes:
        ids, positions, types: int64 ``(1, tokens)``.
        starts: number of each pair's first token, int64 ``(pairs,)``.
        runs: how many pairs of which length follow one another.
        places: number of each pair of the batch in this order, int64 ``(pairs,)``.
        ends: on a GPU, the starts with the number of all tokens at the end, int32 ``(pairs + 1,)``.
    """

    ids: Tensor
    positions: Tensor
    starts: Tensor
    runs: list[tuple[int, int]]
    places: Tensor
    types: Tensor | None = None
    ends: Tensor | None = None


def pack(inputs: Mapping[str, Tensor], *, first_position: int, pad: int | None, device: torch.device) -> Packed:
    """Padded inputs (on the CPU; the mask has ones, then zeros) without their padding, on a device.

    RoBERTa gives the token ``pad`` this position wherever it stands, and does not count it; for BERT it is None.
    """
    lengths = inputs["attention_mask"].sum(1)
    order = torch.argsort(lengths, descending=True, stable=True)
    real = inputs["attention_mask"][order].bool()
    ids = inputs["input_ids"][order]
    if pad is None:
        positions = torch.arange(ids.shape[1]).expand_as(ids) + first_position
    else:
        counted = (ids != pad).long()
        positions = (counted.cumsum(1) - 1 + first_position) * counted + pad * (1 - counted)
    lengths = lengths[order]
    ends = functional.pad(lengths.cumsum(0), (1, 0))
    flat = {"ids": ids[real][None], "positions": positions[real][None], "starts": ends[:-1], "places": order.argsort()}
    if "token_type_ids" in inputs:
        flat["types"] = inputs["token_type_ids"][order][real][None]
    if device.type != "cpu":
        flat["ends"] = ends.int()
    runs = [(len(list(equal)), length) for length, equal in groupby(lengths.tolist())]
    return Packed(runs=runs, **_moved(flat, device))


def _attend(query: Tensor, key_value: Tensor, batch: Packed, heads: int, dropout: float, *, first_only: bool) -> Tensor:
    """Attention within each pair: ``(tokens, width)`` and ``(tokens, 2 * width)`` to the shape of ``query``."""
    size = query.shape[-1] // heads
    if batch.ends is not None:
        from torch.nn.attention.varlen import varlen_attn

        key, value = key_value.unflatten(-1, (2, heads, size)).unbind(-3)
        ends, longest = batch.ends, batch.runs[0][1]
        if first_only:
            ends = torch.arange(len(batch.starts) + 1, dtype=torch.int32, device=query.device)
        ours, longest_query = query.unflatten(-1, (heads, size)), 1 if first_only else longest
        together: Any = varlen_attn(ours, key, value, ends, batch.ends, longest_query, longest)
        attended: Tensor = together.flatten(-2)
        return attended
    tokens = [pairs * length for pairs, length in batch.runs]
    queries = query.split([pairs for pairs, _ in batch.runs] if first_only else tokens)
    parts = []
    for (pairs, length), some, others in zip(batch.runs, queries, key_value.split(tokens), strict=True):
        key, value = others.view(pairs, length, 2, heads, size).permute(2, 0, 3, 1, 4)
        ours = some.view(pairs, -1, heads, size).transpose(1, 2)
        mixed = _mixed(ours, key, value, dropout)
        parts.append(mixed.transpose(1, 2).reshape(len(some), heads * size))
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _mixed(query: Tensor, key: Tensor, value: Tensor, dropout: float) -> Tensor:
    if query.device.type == "cpu" and query.dtype != torch.float32 and query.requires_grad:
        # Step by step: the fused kernel's backward pass is four times slower than this in bf16 on a CPU.
        shares = torch.softmax((query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2), -1, dtype=query.dtype)
        return functional.dropout(shares, dropout) @ value if dropout else shares @ value
    return functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout)


def _packed_forward(model: Model, product: Callable[..., Dense]) -> Forward:
    """The embeddings and head of a model that is :func:`covered`, and our layers between them.

    ``product`` makes linear modules over the same inputs one product, followed by GELU with ``gelu=True``.
    """
    config, base = model.config, getattr(model, model.base_model_prefix)
    bert = config.model_type == "bert"
    pad = None if bert else int(config.pad_token_id)
    layers = [_layer(one, config, product, last=one is base.encoder.layer[-1]) for one in base.encoder.layer]

    def forward(inputs: Mapping[str, Tensor]) -> Tensor:
        batch = pack(inputs, first_position=0 if pad is None else pad + 1, pad=pad, device=model.device)
        parts = base.embeddings
        types = torch.zeros_like(batch.ids) if batch.types is None else batch.types
        summed = parts.word_embeddings(batch.ids) + parts.token_type_embeddings(types)
        tokens = parts.dropout(parts.LayerNorm(summed + parts.position_embeddings(batch.positions)))[0]
        for layer in layers:
            tokens = layer(tokens, batch, config.attention_probs_dropout_prob if model.training else 0.0)
        if bert:
            pooled, dropout, out = torch.tanh(base.pooler.dense(tokens)), model.dropout, model.classifier
        else:
            head = model.classifier
            pooled, dropout, out = torch.tanh(head.dense(head.dropout(tokens))), head.dropout, head.out_proj
        logits: Tensor = out(dropout(pooled))[:, 0]
        return logits[batch.places]

    return forward


def _layer(
    layer: Model, config: Any, product: Callable[..., Dense], *, last: bool
) -> Callable[[Tensor, Packed, float], Tensor]:
    """A transformer layer as a function of tokens ``(tokens, width)``, their batch and the share of attention that is
    dropped; the last one gives first tokens only."""
    own, joined, outer, heads = layer.attention.self, layer.attention.output, layer.output, config.num_attention_heads
    products = [(own.query,), (own.key, own.value)] if last else [(own.query, own.key, own.value)]
    projections = [product(*modules) for modules in products]
    gelu = config.hidden_act == "gelu"
    inner = product(layer.intermediate.dense, gelu=gelu)
    activation = torch.nn.Identity() if gelu else layer.intermediate.intermediate_act_fn
    after_attention, after = product(joined.dense), product(outer.dense)

    def forward(tokens: Tensor, batch: Packed, dropped: float) -> Tensor:
        if last:
            first = tokens[batch.starts]
            query, key_value = projections[0](first), projections[1](tokens)
            tokens = first
        else:
            width = tokens.shape[-1]
            query, key_value = projections[0](tokens).split([width, 2 * width], dim=-1)
        mixed = _attend(query, key_value, batch, heads, dropped, first_only=last)
        tokens = joined.LayerNorm(joined.dropout(after_attention(mixed)) + tokens)
        result: Tensor = outer.LayerNorm(outer.dropout(after(activation(inner(tokens)))) + tokens)
        return result

    return forward


def _suits(weight: Tensor) -> bool:
    """Has this build of torch oneDNN's product, and is the matrix large enough for it?"""
    there = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    return there and weight.device.type == "cpu" and min(weight.shape) >= _SMALLEST


def _onednn(inputs: Tensor, weight: Tensor, bias: Tensor | None, activation: str = "none") -> Tensor:
    """``inputs @ weight.T + bias`` and an activation by oneDNN, which torch's compiler calls by this private name."""
    product: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, activation, [], "none")
    return product


class _Product(torch.autograd.Function):
    """``inputs @ weight.T + bias`` of float32 matrices by oneDNN, and the gradient of ``inputs``."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        return _onednn(inputs, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        inputs, weight = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        return _onednn(gradient, weight.t(), None), gradient.t() @ inputs, gradient.sum(0)


def _live(*modules: Model, gelu: bool = False) -> Dense:
    """Linear modules over the same inputs as one product, of the parameters they have at the time."""

    def product(inputs: Tensor) -> Tensor:
        first = modules[0]
        weight = first.weight if len(modules) == 1 else torch.cat([module.weight for module in modules])
        bias = first.bias if len(modules) == 1 else torch.cat([module.bias for module in modules])
        if torch.is_autocast_enabled(inputs.device.type) or not _suits(weight):
            result = functional.linear(inputs, weight, bias)
        else:
            result = _Product.apply(inputs, weight, bias)
        return functional.gelu(result) if gelu else result

    return product


def _frozen(dtype: torch.dtype, *modules: Model, gelu: bool = False) -> Dense:
    """Linear modules over the same inputs as one product, of their present weights, laid out for it once."""
    weight = torch.cat([module.weight for module in modules]).to(dtype)
    bias = torch.cat([module.bias for module in modules]).to(dtype)
    if not _suits(weight):
        after: Dense = functional.gelu if gelu else torch.nn.Identity()
        return lambda inputs: after(functional.linear(inputs.to(dtype), weight, bias))
    laid_out = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)
    return lambda inputs: _onednn(inputs.to(dtype), laid_out, bias, "gelu" if gelu else "none")
