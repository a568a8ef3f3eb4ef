"""The head of a masked language model: BERT's transform, and a decoder tied to the embeddings of pieces.

It is kept in a file of its own beside an encoder, so that the folder of the encoder is one that any tool opens. That of
a stock ``ForMaskedLM`` model is read too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from switchrank.core.errors import UserError
from switchrank.models.folder import SAFETENSORS, check_safetensors
from switchrank.models.pretrained import Model

MASKED_HEAD = "mlm_head.safetensors"
_BERT, _ROBERTA = "cls.predictions.", "lm_head."
_STOCK = (
    {"bias": "bias", "dense": "transform.dense", "norm": "transform.LayerNorm"},
    {"bias": "bias", "dense": "dense", "norm": "layer_norm"},
)
"""What the parts of the head are called in stock models, after these prefixes."""


class MaskedHead(nn.Module):
    """From hidden states of masked positions ``(n, width)`` to logits of all pieces ``(n, pieces)``.

    It computes what ``BertForMaskedLM`` and ``RobertaForMaskedLM`` do, of the positions given alone.
    """

    def __init__(self, width: int, pieces: int, epsilon: float) -> None:
        super().__init__()
        self.dense, self.norm = nn.Linear(width, width), nn.LayerNorm(width, eps=epsilon)
        self.bias = nn.Parameter(torch.zeros(pieces))

    def forward(self, states: Tensor, embeddings: Tensor) -> Tensor:
        """``embeddings`` are those of pieces, ``(pieces, width)``."""
        transformed = self.norm(functional.gelu(self.dense(states)).to(self.norm.weight.dtype))
        return functional.linear(transformed, embeddings, self.bias)

    def save(self, folder: Path) -> None:
        """Write it beside an encoder."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}
        save_file(tensors, folder / MASKED_HEAD, metadata={"format": "pt"})


def open_masked_head(folder: str | Path, model: Model, *, new: bool = True) -> MaskedHead | None:
    """The head of a model, float32, on its device.

    Args:
        folder: that the model was opened from.
        new: whether a model without a head gets one, drawn from torch's global generator as BERT's weights are; else
            there is none.

    Raises:
        UserError: the head is damaged, or of another model.
    """
    config, embeddings = model.config, model.get_input_embeddings().weight
    epsilon = getattr(config, "layer_norm_eps", None) or config.norm_eps  # the latter in ModernBERT
    head = MaskedHead(config.hidden_size, len(embeddings), float(epsilon))
    found = _head_tensors(Path(folder))
    if found is None:
        if not new:
            return None
        nn.init.normal_(head.dense.weight, std=getattr(config, "initializer_range", None) or 0.02)
        nn.init.zeros_(head.dense.bias)
        return head.to(embeddings.device)
    wanted: dict[str, Any] = {name: tuple(tensor.shape) for name, tensor in head.state_dict().items()}
    if {name: tuple(tensor.shape) for name, tensor in found.items()} != wanted:
        problem = "a masked-language head of another model"
        raise UserError(folder, MASKED_HEAD, problem, "delete it, so that a new one is made")
    head.load_state_dict({name: tensor.float() for name, tensor in found.items()})
    return head.to(embeddings.device)


def _head_tensors(folder: Path) -> dict[str, Tensor] | None:
    """The weights of the head in a folder, ours or a stock model's; None where there is none."""
    if (folder / MASKED_HEAD).is_file():
        check_safetensors(folder / MASKED_HEAD)
        return load_file(folder / MASKED_HEAD)
    file = folder / SAFETENSORS[0]
    if not file.is_file():
        return None
    with safe_open(file, framework="pt") as weights:
        held = set(weights.keys())
        for prefix, names in zip((_BERT, _ROBERTA), _STOCK, strict=True):
            parts = {ours: f"{prefix}{theirs}" for ours, theirs in names.items()}
            if parts["bias"] in held:
                ours = [(name, end) for name in ("dense", "norm") for end in ("weight", "bias")]
                whole = {f"{name}.{end}": f"{parts[name]}.{end}" for name, end in ours} | {"bias": parts["bias"]}
                return {name: weights.get_tensor(theirs) for name, theirs in whole.items()}
    return None
