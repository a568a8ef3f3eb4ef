"""How a model is run over pairs; light enough for the command line to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Inference:
    """How pairs are scored.

    Attributes:
        device: cpu, cuda or cuda:N; exit code 75 without one.
        threads: CPU threads; results are byte-identical for equal threads.
        precision: arithmetic; others than fp32 change scores a little.
        token_budget: padded tokens per batch; lower it when memory is short. On a CPU fewer if the model is wide.
        max_length: subword tokens per pair (default: as trained).
        truncation: what is cut (default: as trained).
    """

    device: str = "cpu"
    threads: int = 1
    precision: Literal["fp32", "bf16", "fp16", "auto"] = "fp32"
    token_budget: int = 16_384
    max_length: int | None = None
    truncation: Literal["longest_first", "only_second"] | None = None


USUAL = Inference()
