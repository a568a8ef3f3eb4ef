"""A method made up for tests: one linear map of two views of some rows, under which the views of a row are alike.

It has what a cross-encoder lacks: data that are no text, a frozen teacher, two losses, negatives from within the batch
with cached gradients, vectors exchanged between processes, a slow copy of the weights, and a measure that should fall.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from switchrank.core.seeds import derive_seed
from switchrank.train.method import Budget, Context, Method, Need, Step
from switchrank.train.settings import Settings, setting

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class MatchingSettings(Settings):
    """How the map is learned."""

    rows_at_once: int = setting(100, "rows encoded at once", least=1)
    noise: float = setting(0.0, "standard deviation of what is added to every number")
    teacher_weight: float = setting(0.5, "weight of the distance to what the teacher makes of the first view")
    negatives: Literal["batch", "none"] = setting("batch", "what a row is told from")
    bias: bool = setting(False, "whether the map has one")
    title: str = setting("a map", "name in the written folder")


def matching_loss(vectors: torch.Tensor, taught: torch.Tensor, settings: MatchingSettings) -> torch.Tensor:
    """Of vectors ``(2, rows, d)``: cross-entropy of each row's partner, both ways, and the distance to the teacher."""
    import torch
    from torch.nn import functional

    scores, own = vectors[0] @ vectors[1].T, torch.arange(vectors.shape[1])
    matched = functional.cross_entropy(scores, own) + functional.cross_entropy(scores.T, own)
    return matched * (settings.negatives == "batch") + settings.teacher_weight * functional.mse_loss(vectors[0], taught)


class Matching(Method[MatchingSettings]):
    """Reads ``views`` and ``dev`` (npy, ``(2, rows, d)``) and ``teacher`` (npy, ``(d, d)``); writes ``map.npy``."""

    Settings = MatchingSettings
    reads: ClassVar[Mapping[str, Need]] = {"views": "needed", "teacher": "needed", "dev": "optional"}
    instances = "rows"
    measure = "distance"
    greater_is_better = False

    def __init__(self, context: Context[MatchingSettings]) -> None:
        import torch

        self._context, settings = context, context.settings
        self._views, self._teacher = (self._read(role) for role in ("views", "teacher"))
        self._dev = self._read("dev") if context.data.has("dev") else None
        width = self._views.shape[-1]
        self.trained = torch.nn.Linear(width, width, bias=settings.bias)
        self.trained.register_buffer("slow", torch.zeros(width, width))
        self.count, self.unit, self.per_step = self._views.shape[1], "rows", settings.batch_size
        self.budget = Budget(settings.rows_at_once, 1, "rows at once", "rows", "lower batch_size")

    def _read(self, role: str) -> torch.Tensor:
        import torch

        return torch.from_numpy(np.load(self._context.data.one(role)))

    def losses(self, step: Step) -> Iterator[torch.Tensor]:
        import torch

        settings, processes = self._context.settings, self._context.processes
        drawn = torch.Generator().manual_seed(derive_seed(self._context.seed, "noise", str(step.number)))
        clean = self._views[:, step.units]
        given = clean + settings.noise * torch.randn(clean.shape, generator=drawn)
        mine = torch.from_numpy(processes.share(np.arange(len(step.units)), self.per_step))
        parts = mine.split(self.budget.size)
        vectors = torch.zeros_like(given)
        with torch.no_grad():
            for part in parts:
                vectors[:, part] = self.trained(given[:, part])
        processes.add(vectors)
        loss = matching_loss(vectors.requires_grad_(), clean[0] @ self._teacher, settings)
        (cached,) = torch.autograd.grad(loss, vectors)
        for part in parts:
            carrier = (self.trained(given[:, part]) * cached[:, part]).sum()
            yield carrier + (loss.detach() * len(part) / len(step.units) - carrier.detach())

    def after_step(self) -> None:
        self.trained.slow.lerp_(self.trained.weight.detach(), 0.1)

    def judge(self) -> dict[str, float]:
        import torch

        with torch.no_grad():
            one, other = self.trained(self._dev)
        return {"distance": float((one - other).square().mean()), "rows": float(len(one))}

    def record(self) -> dict[str, Any]:
        return {"rows": self.count}

    def write(self, folder: Path, record: Mapping[str, Any]) -> None:
        np.save(folder / "map.npy", np.stack([self.trained.weight.detach().numpy(), self.trained.slow.numpy()]))
        (folder / "title.txt").write_text(f"{record['params']['title']}, {record['rows']} rows")
