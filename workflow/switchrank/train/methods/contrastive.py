"""A dual encoder, trained to tell the passage of each query from the others of its batch, in one or several languages.

How batches are made and what is learned from them is in :mod:`switchrank.train.in_batch`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from switchrank.train.in_batch import InBatch, InBatchSettings
from switchrank.train.settings import setting

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from switchrank.core.ragged import Numbers
    from switchrank.models.dropout import Draw
    from switchrank.models.dual_encoder import DualEncoder
    from switchrank.models.recipe import Kind
    from switchrank.models.text_encoder import Inputs, Vectors


@dataclass(frozen=True)
class ContrastiveSettings(InBatchSettings):
    """How a dual encoder is trained."""

    pooling: Literal["mean", "cls", "last"] = setting("mean", "which states of tokens make the vector of a text")
    query_prompt: str | None = setting(None, "what is put before queries; null: what the starting model says")
    document_prompt: str | None = setting(None, "the same before passages")


class Contrastive(InBatch[ContrastiveSettings]):
    """Pairs of queries and passages in, a folder for ``sentence_transformers.SentenceTransformer`` out.

    What it reads is said of :class:`switchrank.train.in_batch.InBatch`.
    """

    Settings = ContrastiveSettings
    called = "switchrank dual encoder"
    _encoder: DualEncoder

    def _made(self, model: Any) -> DualEncoder:
        from dataclasses import replace

        from switchrank.models.dual_encoder import DualEncoder
        from switchrank.models.recipe import read_recipe

        settings, recipe = self._context.settings, read_recipe(self._start)
        given: dict[Kind, str | None] = {"query": settings.query_prompt, "document": settings.document_prompt}
        prompts = {kind: recipe.prompts.get(kind, "") if text is None else text for kind, text in given.items()}
        lengths: dict[Kind, int] = {"query": settings.query_length, "document": settings.max_length}
        recipe = replace(
            recipe, pooling=settings.pooling, normalised=True, prompts=prompts, max_length=max(lengths.values())
        )
        return DualEncoder(model, self._tokenizer, recipe, source=self._start, lengths=lengths)

    @property
    def _shape(self) -> tuple[int, ...]:
        return (self._encoder.dimensions,)

    def _vectors(self, inputs: Inputs, _of_documents: NDArray[np.bool_], draw: Draw) -> torch.Tensor:
        return self._encoder.vectors(inputs, draw)

    @staticmethod
    def _score(queries: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
        from switchrank.train.contrast import inner_products

        return inner_products(queries, candidates)

    @staticmethod
    def _score_own(queries: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
        return (queries[:, None] * candidates).sum(-1)

    def _judged(self) -> NDArray[np.float32]:
        with self._context.autocast():
            queries = self._dev_vectors(self._dev.query, "query")
            passages = self._dev_vectors(self._dev.passage, "document")
        scores: NDArray[np.float32] = (queries * passages).sum(1)
        return scores

    def _dev_vectors(self, numbers: Numbers, kind: Kind) -> Vectors:
        """The vectors of texts of the development set; each text is encoded once, by one of the processes."""
        import numpy as np
        import torch

        processes = self._context.processes
        used, inverse = np.unique(numbers, return_inverse=True)
        mine = np.arange(processes.rank, len(used), processes.count)
        vectors = np.zeros((len(used), self._encoder.dimensions), np.float32)
        vectors[mine] = self._encoder.encode(self._dev.texts[used[mine]].to_list(), kind)
        processes.add(torch.from_numpy(vectors))
        return vectors[inverse]


METHOD = Contrastive
