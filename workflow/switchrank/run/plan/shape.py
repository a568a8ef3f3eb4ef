"""The size of the model that a run trains: parameters, and floating point operations per token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switchrank.config.systems import Start
from switchrank.models.presets import PRESETS
from switchrank.run.notes import read_note

BASE = {
    "num_hidden_layers": 12,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "vocab_size": 250_002,
}
"""XLM-R base, which a model is taken for that is not here and whose name says nothing."""
_NAMED = re.compile(r"L(\d+)[-_]?H(\d+)", re.IGNORECASE)
"""Layers and width in the names of MiniLM models."""


@dataclass(frozen=True)
class Shape:
    """An encoder: ``layers`` of width ``hidden`` with ``inner`` units, over a ``vocabulary``."""

    layers: int
    hidden: int
    inner: int
    vocabulary: int

    @property
    def body(self) -> float:
        """Weights that every token meets."""
        return float(self.layers * (4 * self.hidden**2 + 2 * self.hidden * self.inner))

    @property
    def parameters(self) -> float:
        """All weights, embeddings of pieces and of 512 positions among them."""
        return self.body + (self.vocabulary + 514) * self.hidden + self.hidden**2

    def forward(self, tokens: float, length: float) -> float:
        """Floating point operations of a forward pass over ``tokens``, in texts of ``length`` tokens."""
        return tokens * (2 * self.body + 4 * length * self.hidden * self.layers)


def shape_of(start: Start) -> Shape:
    """The shape of the model that a run starts from: of its preset, by ``config.json``, by its name, or XLM-R base."""
    if start.preset:
        return _shape(PRESETS[start.preset] | {"vocab_size": start.tokenizer.size})
    found = _of_model(str(start.model))
    if found is not None:
        return found
    named = _NAMED.search(str(start.model))
    if named is None:
        return _shape(BASE)
    width = int(named[2])
    return _shape(BASE | {"num_hidden_layers": int(named[1]), "hidden_size": width, "intermediate_size": 4 * width})


def read_shape(path: str | Path) -> Shape | None:
    """The shape that a ``config.json`` states; None where there is none that can be read, or none of a known kind."""
    found = read_note(path)
    return _shape(found) if all(isinstance(found.get(key), int) for key in BASE) else None


def _of_model(model: str) -> Shape | None:
    """The shape of a folder, or of a hub model that was fetched before."""
    path = Path(model, "config.json")
    if path.is_file():
        return read_shape(path)
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(model, "config.json")
    except HFValidationError:
        return None
    return read_shape(found) if isinstance(found, str) else None


def _shape(given: Mapping[str, Any]) -> Shape:
    return Shape(*(given[key] for key in BASE))
