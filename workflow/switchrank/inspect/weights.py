"""Files of model weights: safetensors, and pickles, which are named and never opened."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from switchrank.inspect.found import SAMPLES, Found, shorten
from switchrank.inspect.source import Source

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
    return _safetensors(source, size)


def pickled(path: Path) -> Found:
    """A pickle of any kind."""
    found = Found("pickle", "a Python pickle (PyTorch weights, gensim vectors, ...)", "files", 1, form="binary")
    found.problems.append(PICKLED)
    found.values["folder"] = str(path.parent)
    return found


def _safetensors(source: Source, size: int) -> Found | None:
    """safetensors: 8 bytes length, a JSON header with type, shape and place of each tensor, then the numbers."""
    with source.path.open("rb") as stream:
        stream.seek(8)
        raw = stream.read(size)
    found = Found("safetensors", "model weights (safetensors)", "tensors", form="binary")
    try:
        header = json.loads(raw)
        tensors = {name: part for name, part in header.items() if name != "__metadata__"}
        ends = [int(part["data_offsets"][1]) for part in tensors.values()]
        found.counts["parameters"] = sum(_product(part["shape"]) for part in tensors.values())
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError, OverflowError):
        if source.path.stat().st_size >= 8 + size:
            return None
        found.problems.append("ends within its header")
        return found
    found.rows = len(tensors)
    found.samples = [shorten(f"{name} {part['shape']}") for name, part in list(tensors.items())[:SAMPLES]]
    expected, real = 8 + size + max(ends, default=0), source.path.stat().st_size
    if expected != real:
        found.problems.append(f"{real:,} bytes where its header promises {expected:,}")
    return found


def _product(shape: Sequence[Any]) -> int:
    total = 1
    for side in shape:
        total *= int(side)
    return total
