"""What a trained model says about itself: ``train.json`` and the model card."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from switchrank import __version__
from switchrank.core.digest import file_digest
from switchrank.core.instructions import processor
from switchrank.models.writing import read_json
from switchrank.train.devices import describe_device
from switchrank.train.settings import Settings

_CARD = """---
library_name: sentence-transformers
pipeline_tag: text-ranking
tags:
- cross-encoder
- switchrank
---

# {name}

A cross-encoder that scores how well a passage answers a query; the higher the logit, the better. Trained with
switchrank {version} for {steps} steps of {batch} (learning rate {lr:g}, {precision}, seed {seed}{loss}) from {start}.
{dev}
`train.json` records parameters, inputs, versions, loss and development scores.

```python
from sentence_transformers import CrossEncoder

model = CrossEncoder("path/to/this/folder")
scores = model.predict([("a query", "a passage"), ("a query", "another passage")])
```
"""


def input_digests(corpus: Sequence[str | Path], dev: str | Path | None, start: str | Path) -> dict[str, str]:
    """SHA-256 of every input file, by role and file name; no folder above it is named, and no hidden file read."""
    files = {f"corpus/{number:05d}": Path(path) for number, path in enumerate(corpus)}
    files |= {"dev": Path(dev)} if dev is not None else {}
    inside = sorted(file for file in Path(start).iterdir() if file.is_file() and not file.name.startswith("."))
    files |= {f"start/{file.name}": file for file in inside}
    return {role: file_digest(path) for role, path in files.items()}


def made_with(device: torch.device) -> dict[str, Any]:
    """What the numbers depend on beside settings and inputs: versions, the device, and the processor that finished."""
    packages = ("torch", "transformers", "tokenizers", "numpy")
    own = {"switchrank": __version__, "python": platform.python_version()}
    return {
        "versions": own | {name: version(name) for name in packages},
        "device": describe_device(device),
        "processor": processor(),
    }


def start_record(start: str | Path) -> Mapping[str, Any]:
    """What the starting folder's ``start.json`` says; empty where there is none."""
    file = Path(start, "start.json")
    return read_json(file) if file.is_file() else {}


def describe_start(start: Mapping[str, Any]) -> str:
    """One phrase for the model card."""
    if "model" in start:
        return f"the weights of {start['model']}"
    if "preset" in start:
        named = start["preset"] if isinstance(start["preset"], str) else "own shape"
        return f"scratch ({named}; initialisation: {', '.join(start['init']) or 'usual'})"
    return "an earlier checkpoint"


def model_card(
    *,
    name: str,
    settings: Settings,
    batch: str,
    seed: int,
    start: Mapping[str, Any],
    dev: Sequence[Mapping[str, float]],
    kept: int,
) -> str:
    """The text of ``README.md``; ``batch`` says what one step is, such as ``64 pairs``."""
    score = next((row["mrr@10"] for row in dev if row["step"] == kept), None)
    return _CARD.format(
        name=name,
        version=__version__,
        steps=settings.steps,
        batch=batch,
        lr=settings.lr,
        precision=settings.precision,
        seed=seed,
        loss="" if settings.objective == "bce" else f", {settings.objective} objective",
        start=describe_start(start),
        dev=f"MRR@10 on the development set after step {kept}: {score:.4f}.\n" if score is not None else "",
    )


def plain_settings(settings: Settings) -> dict[str, Any]:
    """Settings as JSON-plain values, without how often the run is saved: the result does not depend on it."""
    return {name: value for name, value in dataclasses.asdict(settings).items() if name != "checkpoint_every"}
