"""Files of model weights: safetensors, and pickles, which are named and never opened."""

from __future__ import annotations

import struct
from math import prod
from pathlib import Path

from switchrank.core.errors import UserError
from switchrank.identify.found import SAMPLES, Found, shorten
from switchrank.identify.source import Source
from switchrank.models.folder import check_safetensors

_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_LARGEST_HEADER = 100_000_000
PICKLED = "weights in a pickle are never read: run switchrank import-model on the folder that holds them"


def inspect(source: Source) -> Found | None:
    """What a file of weights is; nothing where it is none."""
    if source.head.startswith(_PICKLES):
        return pickled(source.path)
    size = struct.unpack("<Q", source.head[:8])[0] if len(source.head) > 9 else 0
    if source.packing or source.head[8:10] != b'{"' or not 2 <= size <= _LARGEST_HEADER:
        return None
    return _safetensors(source)


def pickled(path: Path) -> Found:
    """A pickle of any kind."""
    found = Found("pickle", "a Python pickle (PyTorch weights, gensim vectors, ...)", "files", 1, form="binary")
    found.problems.append(PICKLED)
    found.values["folder"] = str(path.parent)
    return found


def _safetensors(source: Source) -> Found:
    """Weights as tensors with names and shapes."""
    from safetensors import safe_open

    found = Found("safetensors", "model weights (safetensors)", "tensors", form="binary")
    try:
        check_safetensors(source.path)
    except UserError as error:
        found.problems.append(error.problem)
        return found
    with safe_open(source.path, framework="np") as weights:
        shapes = {name: weights.get_slice(name).get_shape() for name in weights.keys()}  # noqa: SIM118
    found.rows, found.counts["parameters"] = len(shapes), sum(map(prod, shapes.values()))
    found.samples = [shorten(f"{name} {shape}") for name, shape in list(shapes.items())[:SAMPLES]]
    return found
