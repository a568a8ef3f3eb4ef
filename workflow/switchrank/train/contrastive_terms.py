"""The contrastive terms of pretraining: each row of a step is told from the others by the other text that it has."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from switchrank.core.ragged import Numbers
from switchrank.core.seeds import derive_seed
from switchrank.models.dropout import Draw
from switchrank.models.dual_encoder import pool
from switchrank.models.encode import text_batches
from switchrank.models.packed import encoding_forward
from switchrank.models.pretrained import Model
from switchrank.models.recipe import Pooling
from switchrank.train.contrast import info_nce
from switchrank.train.gradient_cache import Part, losses_of_parts
from switchrank.train.method import Budget, Context
from switchrank.train.views import View, Views, end_to_end


class ContrastiveTerms:
    """InfoNCE in both directions, of views that :class:`switchrank.train.views.Views` makes.

    Rows of the same line are no negatives of each other.

    Args:
        layer: the layer, counted from 1, whose states are pooled; None: the last.
    """

    def __init__(
        self,
        context: Context[Any],
        model: Model,
        views: Views,
        budget: Budget,
        *,
        temperature: float,
        pooling: Pooling,
        layer: int | None,
    ) -> None:
        self._context, self._views, self._budget = context, views, budget
        self._temperature, self._pooling = temperature, pooling
        self._states, self._width = encoding_forward(model, layer=layer), int(model.config.hidden_size)
        self._drops = derive_seed(context.seed, "train", "dropout")

    def losses(self, name: str, step: int, view: View) -> Iterator[Tensor]:
        """The mean over the rows of a step, in parts, those of the rows of this process."""
        rows, processes = len(view.rows), self._context.processes
        if rows < 2:
            return
        drops = derive_seed(self._drops, name)
        mine = processes.share(np.arange(rows), rows)
        yield from losses_of_parts(
            self._parts(view, np.concatenate([mine, rows + mine])),
            lambda part: self._vectors(part, Draw(drops, step, part.places)),
            lambda vectors: self._loss(view, vectors),
            vectors=torch.zeros(2 * rows, self._width, device=self._context.device),
            count=2 * rows,
            processes=processes,
        )

    def judged(self, _name: str, _step: int, view: View) -> Tensor:
        """The sum over the rows, nothing dropped, and how many they are, float64 ``(2,)``."""
        rows = len(view.rows)
        if rows < 2:
            return torch.zeros(2, dtype=torch.float64)
        vectors = torch.zeros(2 * rows, self._width, device=self._context.device)
        for part in self._parts(view, np.arange(2 * rows)):
            vectors[part.index(vectors.device)] = self._vectors(part, None)
        return torch.tensor([self._loss(view, vectors).item() * rows, rows], dtype=torch.float64)

    def _parts(self, view: View, places: Numbers) -> list[Part]:
        """The inputs of some texts of a view, those of its second side numbered after those of the first."""
        batches = text_batches(self._views.single, end_to_end(view.first, view.second).take(places), self._budget.size)
        return [
            Part(places[some], {key: torch.from_numpy(ids) for key, ids in inputs.items()}) for some, inputs in batches
        ]

    def _vectors(self, part: Part, draw: Draw | None) -> Tensor:
        """Unit vectors of the texts of a part, float32."""
        with self._context.autocast():
            states = self._states(part.inputs, draw)
        lengths = part.inputs["attention_mask"].sum(1).to(states.device)
        return functional.normalize(pool(states.float(), lengths, self._pooling), dim=-1)

    def _loss(self, view: View, vectors: Tensor) -> Tensor:
        lines = torch.from_numpy(view.lines).to(vectors.device)
        first, second = vectors.view(2, len(view.rows), -1)
        return info_nce(first, second, self._temperature, excluded=lines[:, None] == lines, both=True)
