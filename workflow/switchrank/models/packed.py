"""The forward pass of BERT and RoBERTa rankers without padding: the tokens of all pairs of a batch lie end to end.

It computes the same logits as the stock transformers classes, up to rounding, from the same weights, with less work:

- linear layers see real tokens only, and attention few of others (:mod:`switchrank.models.packing`);
- a ranker's logit depends on the first token of a pair alone, so its last layer computes keys and values of all tokens
  but everything else of first tokens only;
- query, key and value are one product, which goes to oneDNN on a CPU where it is wide: faster than MKL on some machines
  and never much slower. A model that is only used has its weights laid out once for that.

Models of other classes, and cases the fast way does not cover, take the stock forward pass.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from switchrank.models.dropout import Draw, Dropout, pair_states
from switchrank.models.packing import Block, Packed, into_blocks, moved, out_of_blocks, pack
from switchrank.models.plain import CLASSES, PlainRanker

Forward = Callable[[Mapping[str, Tensor]], Tensor]
"""From padded inputs on the CPU (int64 ``(pairs, longest)``) to logits ``(pairs,)`` on the model's device."""


class TrainingForward(Protocol):
    def __call__(self, inputs: Mapping[str, Tensor], draw: Draw | None = None) -> Tensor:
        """As :data:`Forward`, with gradients.

        What is dropped on a CPU follows from ``draw``; without one, on a GPU, and in models that take the stock forward
        pass it comes from torch's generator.
        """


Dense = Callable[[Tensor], Tensor]
PackedEncoder = Callable[[Mapping[str, Tensor], Draw | None], tuple[Tensor, Packed, Dropout]]
Model = Any
_SMALLEST = 256
"""Below this width oneDNN's products are slower than MKL's."""
_ROWS = 2048
"""Tokens that the layout of weights is chosen for; other numbers work too."""


def stock_forward(model: Model) -> Forward:
    def forward(inputs: Mapping[str, Tensor]) -> Tensor:
        logits: Tensor = model(**moved(inputs, model.device)).logits
        return logits[:, 0]

    return forward


def training_forward(model: Model) -> TrainingForward:
    """A forward pass through which gradients flow to the model's parameters; mind autocast and ``model.train()``."""
    stock = stock_forward(model)
    packed = _packed_forward(model, _live) if covered(model) else None

    def forward(inputs: Mapping[str, Tensor], draw: Draw | None = None) -> Tensor:
        return packed(inputs, draw) if packed and _attends(model) else stock(inputs)

    return forward


def encoding_forward(model: Model, *, first_only: bool = False, layer: int | None = None) -> TrainingForward:
    """As :func:`training_forward`, of the encoder alone: from padded inputs of n texts to the vectors of their tokens.

    These are its last hidden states, ``(n, longest, width)``, zeros at padding, or those of a layer, counted from 1.
    With ``first_only`` others than those of first tokens may be missing: the last layer need not compute them.
    """
    encode = _packed_encoder(model, _live, None, first_only=first_only, layer=layer) if covered(model) else None
    return _encoding(model, encode, first_only, layer)


def _encoding(
    model: Model, encode: PackedEncoder | None, first_only: bool, layer: int | None = None
) -> TrainingForward:
    def forward(inputs: Mapping[str, Tensor], draw: Draw | None = None) -> Tensor:
        mask = inputs["attention_mask"]
        if encode and _attends(model):
            tokens, batch, _ = encode(inputs, draw)
            if first_only:
                return tokens[batch.places][:, None]
            places = torch.arange(mask.numel()).view_as(mask)[batch.order][mask[batch.order].bool()].to(tokens.device)
            spread = tokens.new_zeros(mask.numel(), tokens.shape[-1]).index_copy(0, places, tokens[: len(places)])
            return spread.view(*mask.shape, -1)
        inputs = moved(inputs, model.device)
        result = getattr(model, model.base_model_prefix)(**inputs, output_hidden_states=layer is not None)
        hidden: Tensor = result.last_hidden_state if layer is None else result.hidden_states[layer]
        return hidden * inputs["attention_mask"][..., None]

    return forward


def ranking_forward(model: Model, dtype: torch.dtype | None) -> Forward:
    """A forward pass of a model in eval mode whose weights do not change any more; call it in inference mode.

    Linear layers and attention compute in ``dtype`` (None: float32), norms and sums in float32.
    """
    if model.device.type != "cpu" or not covered(model):
        return _cast(training_forward(model), model.device, dtype)
    with torch.inference_mode():
        dtype = dtype or torch.float32
        return _packed_forward(model, partial(_frozen, dtype), dtype)


def frozen_encoding_forward(model: Model, dtype: torch.dtype | None, *, first_only: bool = False) -> TrainingForward:
    """:func:`encoding_forward` of a model that :func:`ranking_forward` would take."""
    if model.device.type != "cpu" or not covered(model):
        return _cast(encoding_forward(model, first_only=first_only), model.device, dtype)
    with torch.inference_mode():
        dtype = dtype or torch.float32
        encode = _packed_encoder(model, partial(_frozen, dtype), dtype, first_only=first_only, wide=True)
        return _encoding(model, encode, first_only)


def _cast(live: TrainingForward, device: torch.device, dtype: torch.dtype | None) -> TrainingForward:
    def forward(inputs: Mapping[str, Tensor], draw: Draw | None = None) -> Tensor:
        with torch.autocast(device.type, dtype=dtype, enabled=dtype is not None):
            return live(inputs, draw)

    return forward


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
class _Heads:
    """How a layer attends: with how many heads, which share of attention is dropped in training, and in half precision
    whether a softmax is computed ``wide``, in float32 and rounded: in half the time, and not always to the same bit."""

    count: int
    dropped: float
    wide: bool


def _attend(
    query: Tensor, key_value: Tensor, batch: Packed, heads: _Heads, drop: Dropout, *, first_only: bool
) -> Tensor:
    """Attention within each pair: ``(tokens, width)`` and ``(tokens, 2 * width)``, as they lie in blocks, to the shape
    of ``query``, which holds first tokens alone with ``first_only``."""
    size = query.shape[-1] // heads.count
    drop.next_place()
    if batch.ends is not None:
        return _attend_on_gpu(query, key_value, batch, size, first_only=first_only)
    tokens = [block.pairs * block.length for block in batch.blocks]
    queries = query.split([block.pairs for block in batch.blocks] if first_only else tokens)
    parts = []
    for block, some, others in zip(batch.blocks, queries, key_value.split(tokens), strict=True):
        key, value = others.view(block.pairs, block.length, 2, heads.count, size).permute(2, 0, 3, 1, 4)
        ours = some.view(block.pairs, -1, heads.count, size).transpose(1, 2)
        mixed = _mixed(ours, key, value, block, heads, drop)
        parts.append(mixed.transpose(1, 2).reshape(len(some), heads.count * size))
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _attend_on_gpu(query: Tensor, key_value: Tensor, batch: Packed, size: int, *, first_only: bool) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    assert batch.ends is not None
    key, value = key_value.unflatten(-1, (2, -1, size)).unbind(-3)
    ends, longest = batch.ends, batch.blocks[0].length
    if first_only:
        ends = torch.arange(len(batch.starts) + 1, dtype=torch.int32, device=query.device)
    ours, longest_query = query.unflatten(-1, (-1, size)), 1 if first_only else longest
    together: Any = varlen_attn(ours, key, value, ends, batch.ends, longest_query, longest)
    attended: Tensor = together.flatten(-2)
    return attended


def _mixed(query: Tensor, key: Tensor, value: Tensor, block: Block, heads: _Heads, drop: Dropout) -> Tensor:
    """Attention of the pairs of a block, ``(pairs, heads, tokens, size)`` each.

    In half precision step by step: on a CPU the fused kernel is slower, its backward pass four times.
    """
    if query.dtype == torch.float32 and block.hidden is None and not (heads.dropped and drop.active):
        return functional.scaled_dot_product_attention(query, key, value)
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if heads.wide:
        scores = scores.float()
    if block.hidden is not None:
        scores = scores + block.hidden.to(scores.dtype)
    weights = torch.softmax(scores, -1, dtype=scores.dtype).to(query.dtype)
    return drop.of_attention(weights, heads.dropped, block.first) @ value


def _attend_to_all(sides: Tensor, batch: Packed, heads: _Heads, drop: Dropout) -> Tensor:
    """Attention of all tokens, of their queries, keys and values side by side, ``(tokens, 3 * width)``."""
    if batch.ends is batch.slots is None and sides.dtype == torch.float32 and not (heads.dropped and drop.active):
        drop.next_place()
        attended: Tensor = _Attention.apply(sides, batch.blocks, heads.count)
        return attended
    width = sides.shape[1] // 3
    query, key_value = into_blocks(sides, batch).split([width, 2 * width], dim=-1)
    return out_of_blocks(_attend(query, key_value, batch, heads, drop, first_only=False), batch)


class _Attention(torch.autograd.Function):
    """Attention within each pair, of queries, keys and values side by side, float32 ``(tokens, 3 * width)``.

    It is ``scaled_dot_product_attention`` block by block. Results and gradients are written where they belong, while
    autograd would copy those of a block three times.
    """

    @staticmethod
    def forward(ctx: Any, sides: Tensor, blocks: Sequence[Block], heads: int) -> Tensor:
        result = sides.new_empty(len(sides), sides.shape[1] // 3)
        ctx.blocks, ctx.heads, sums = blocks, heads, []
        parts = (_by_block(sides, 3, blocks, heads), _by_block(result, 1, blocks, heads))
        for given, (place,) in zip(*parts, strict=True):
            attended, total = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(*given)
            place.copy_(attended)
            sums.append(total)
        ctx.save_for_backward(sides, result, *sums)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        sides, result, *sums = ctx.saved_tensors
        found = torch.empty_like(sides)
        ours = [(gradients[0].contiguous(), 1), (sides, 3), (result, 1), (found, 3)]
        parts = [_by_block(rows, count, ctx.blocks, ctx.heads) for rows, count in ours]
        for (gradient,), given, (attended,), places, total in zip(*parts, sums, strict=True):
            back = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
            for place, part in zip(places, back(gradient, *given, attended, total, 0.0, False), strict=True):
                place.copy_(part)
        return found, None, None


def _by_block(rows: Tensor, sides: int, blocks: Sequence[Block], heads: int) -> Iterator[Sequence[Tensor]]:
    """Of each block, the parts ``(pairs, heads, length, size)`` of what lies side by side in the rows of its tokens."""
    for block, some in zip(blocks, rows.split([block.pairs * block.length for block in blocks]), strict=True):
        yield some.view(block.pairs, block.length, sides, heads, -1).permute(2, 0, 3, 1, 4).unbind()


def _packed_forward(model: Model, product: Callable[..., Dense], dtype: torch.dtype | None = None) -> TrainingForward:
    """The encoder of a model that is :func:`covered`, by :func:`_packed_encoder`, and its head."""
    base, bert = getattr(model, model.base_model_prefix), model.config.model_type == "bert"
    encode = _packed_encoder(model, product, dtype, first_only=True)

    def forward(inputs: Mapping[str, Tensor], draw: Draw | None = None) -> Tensor:
        tokens, batch, drop = encode(inputs, draw)
        head = model.dropout if bert else model.classifier.dropout
        dense, out = (
            (base.pooler.dense, model.classifier) if bert else (model.classifier.dense, model.classifier.out_proj)
        )
        pooled = torch.tanh(dense(tokens if bert else drop.of_rows(tokens, head.p, first_only=True)))
        logits: Tensor = out(drop.of_rows(pooled, head.p, first_only=True))[:, 0]
        return logits[batch.places]

    return forward


def _packed_encoder(
    model: Model,
    product: Callable[..., Dense],
    dtype: torch.dtype | None,
    *,
    first_only: bool,
    wide: bool = False,
    layer: int | None = None,
) -> PackedEncoder:
    """The embeddings of a model that is :func:`covered`, and our layers: from padded inputs to vectors of all tokens
    or of first ones, with their batch and its dropout.

    ``product`` makes linear modules over the same inputs one product, followed by GELU with ``gelu=True``; it computes
    in ``dtype`` (None: as autocast says). ``wide`` is that of :class:`_Heads`, ``layer`` that of
    :func:`encoding_forward`: those above it are not computed.
    """
    config, base = model.config, getattr(model, model.base_model_prefix)
    pad = None if config.model_type == "bert" else int(config.pad_token_id)
    used = list(base.encoder.layer)[:layer]
    last = used[-1] if first_only else None
    heads = _Heads(config.num_attention_heads, float(config.attention_probs_dropout_prob), wide)
    layers = [_layer(one, config, product, heads, last=one is last) for one in used]
    place: dict[str, Any] = {"first_position": 0 if pad is None else pad + 1, "pad": pad, "device": model.device}

    def encode(inputs: Mapping[str, Tensor], draw: Draw | None) -> tuple[Tensor, Packed, Dropout]:
        on_cpu = model.device.type == "cpu"
        half = torch.is_autocast_enabled("cpu") if dtype is None else dtype != torch.float32
        batch = pack(inputs, few_shapes=on_cpu and half, **place)
        drop = _dropout(draw if on_cpu else None, batch, model)
        parts = base.embeddings
        summed = parts.word_embeddings(batch.ids) + parts.token_type_embeddings(batch.types)
        tokens = parts.LayerNorm(summed + parts.position_embeddings(batch.positions))[0]
        tokens = drop.of_rows(tokens, parts.dropout.p)
        for layer in layers:
            tokens = layer(tokens, batch, drop)
        return tokens, batch, drop

    return encode


def _dropout(draw: Draw | None, batch: Packed, model: Model) -> Dropout:
    lengths = batch.lengths.numpy()
    if draw is None or not model.training:
        return Dropout(None, lengths, 0, active=model.training)
    states = pair_states(draw)[batch.order.numpy()]
    return Dropout(states, lengths, batch.ids.shape[1] - int(lengths.sum()))


def _layer(
    layer: Model, config: Any, product: Callable[..., Dense], heads: _Heads, *, last: bool
) -> Callable[[Tensor, Packed, Dropout], Tensor]:
    """A transformer layer as a function of tokens ``(tokens, width)``, their batch and its dropout; the last one gives
    first tokens only."""
    own, joined, outer = layer.attention.self, layer.attention.output, layer.output
    products = [(own.query,), (own.key, own.value)] if last else [(own.query, own.key, own.value)]
    projections = [product(*modules) for modules in products]
    gelu = config.hidden_act == "gelu"
    inner = product(layer.intermediate.dense, gelu=gelu)
    activation = torch.nn.Identity() if gelu else layer.intermediate.intermediate_act_fn
    after_attention, after = product(joined.dense), product(outer.dense)

    def forward(tokens: Tensor, batch: Packed, drop: Dropout) -> Tensor:
        if last:
            first = tokens[batch.starts]
            query, key_value = projections[0](first), into_blocks(projections[1](tokens), batch)
            mixed = _attend(query, key_value, batch, heads, drop, first_only=True)
            tokens = first
        else:
            mixed = _attend_to_all(projections[0](tokens), batch, heads, drop)
        dropped = drop.of_rows(after_attention(mixed), joined.dropout.p, first_only=last)
        tokens = joined.LayerNorm(dropped.float().add_(tokens))
        dropped = drop.of_rows(after(activation(inner(tokens))), outer.dropout.p, first_only=last)
        result: Tensor = outer.LayerNorm(dropped.float().add_(tokens))
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
    """``inputs @ weight.T + bias`` of float32 matrices by oneDNN; of frozen weights no gradient is computed."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        return _onednn(inputs, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        inputs, weight = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        of_weights = (gradient.t() @ inputs, gradient.sum(0)) if ctx.needs_input_grad[1] else (None, None)
        return _onednn(gradient, weight.t(), None), *of_weights


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
