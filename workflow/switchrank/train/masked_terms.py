"""The masked terms of pretraining: the cross-entropy of covered pieces, with logits at their places only."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from switchrank.core.ragged import Numbers
from switchrank.core.seeds import derive_seed
from switchrank.models.dropout import Draw
from switchrank.models.encode import assemble, by_length
from switchrank.models.masked_head import MaskedHead
from switchrank.models.packed import encoding_forward
from switchrank.models.pretrained import Model
from switchrank.train.masking import IGNORED, MaskedTexts, Masking, labels_of
from switchrank.train.method import Budget, Context
from switchrank.train.views import View, Views


class MaskedTerms:
    """Losses of a model with a masked-language head, of views that :class:`switchrank.train.views.Views` makes."""

    def __init__(
        self, context: Context[Any], model: Model, head: MaskedHead, views: Views, budget: Budget, masking: Masking
    ) -> None:
        self._context, self._model, self._head = context, model, head
        self._views, self._masking, self._budget = views, masking, budget
        self._states = encoding_forward(model)
        self._drops = derive_seed(context.seed, "train", "dropout")

    def losses(self, name: str, step: int, view: View) -> Iterator[Tensor]:
        """The mean over the pieces to be predicted in a step, in parts, those of the rows of this process."""
        texts, count = self._masked(name, step, view)
        rows = self._context.processes.share(view.rows, len(view.rows))
        draw = partial(Draw, derive_seed(self._drops, name), step)
        for loss in self._sums(name, texts, rows, draw):
            yield loss / max(1, count)

    def judged(self, name: str, step: int, view: View) -> Tensor:
        """The sum over the pieces to be predicted, nothing dropped, and how many they are, float64 ``(2,)``."""
        texts, count = self._masked(name, step, view)
        sums = [loss.item() for loss in self._sums(name, texts, view.rows, None)]
        return torch.tensor([sum(sums), count], dtype=torch.float64)

    def _masked(self, name: str, step: int, view: View) -> tuple[tuple[MaskedTexts, MaskedTexts], int]:
        first = self._masking(view.first, name, step, view.rows)
        second = self._masking(view.second, f"{name} second", step, view.rows)
        return (first, second), sum(int((texts.labels.ids != IGNORED).sum()) for texts in (first, second))

    def _sums(
        self,
        name: str,
        texts: tuple[MaskedTexts, MaskedTexts],
        rows: Numbers,
        draw: Callable[[Numbers], Draw] | None,
    ) -> Iterator[Tensor]:
        """Sums over the pieces to be predicted in some rows, a micro-batch each."""
        template = self._views.pair if name == "tlm" else self._views.single
        embeddings = self._model.get_input_embeddings().weight
        tokens = np.sum([side.inputs.lengths[rows] for side in texts], axis=0) + template.specials
        for some in by_length(tokens, self._budget.size):
            first, second = (side.take(rows[some]) for side in texts)
            arrays = assemble(template, first.inputs, second.inputs)
            inputs = {key: torch.from_numpy(array) for key, array in arrays.items()}
            labels = torch.from_numpy(labels_of(template, first.labels, second.labels)).to(embeddings.device)
            asked = labels != IGNORED
            with self._context.autocast():
                states = self._states(inputs, draw(rows[some]) if draw else None)
                logits = self._head(states[asked], embeddings)
            yield functional.cross_entropy(logits.float(), labels[asked], reduction="sum")
