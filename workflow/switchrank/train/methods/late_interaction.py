"""Late interaction, trained to tell the passage of each query from the others of its batch by MaxSim.

How batches are made and what is learned from them, also from a cross-encoder's scores, is in
:mod:`switchrank.train.in_batch`. MaxSim is a sum over the tokens of a query and not divided (temperature 1): cosines of
single vectors need a temperature far below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from switchrank.train.in_batch import InBatch, InBatchSettings
from switchrank.train.settings import setting, setting_of

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from switchrank.core.ragged import Numbers
    from switchrank.models.dropout import Draw
    from switchrank.models.late_interaction import LateEncoder
    from switchrank.models.recipe import Kind
    from switchrank.models.text_encoder import Inputs


@dataclass(frozen=True)
class LateInteractionSettings(InBatchSettings):
    """How late interaction is trained. Lengths are those of ColBERT (arXiv 2004.12832, 2112.01488)."""

    max_length: int = setting_of(InBatchSettings, "max_length", 180)
    query_length: int = setting_of(InBatchSettings, "query_length", 32)
    temperature: float = setting_of(InBatchSettings, "temperature", 1.0)
    dim: int = setting(128, "dimensions of the vector of a token", least=1)
    skip_punctuation: bool = setting(True, "tokens of passages that are punctuation have no vector")


class LateInteraction(InBatch[LateInteractionSettings]):
    """Pairs of queries and passages in, a folder for ``sentence_transformers.MultiVectorEncoder`` out.

    What it reads is said of :class:`switchrank.train.in_batch.InBatch`.
    """

    Settings = LateInteractionSettings
    called = "switchrank late interaction"
    _encoder: LateEncoder

    def _made(self, model: Any) -> LateEncoder:
        from switchrank.models.late_interaction import LateEncoder, begin

        settings = self._context.settings
        lengths: dict[Kind, int] = {"query": settings.query_length, "document": settings.max_length}
        recipe, projection = begin(
            model,
            self._tokenizer,
            self._start,
            dimensions=settings.dim,
            lengths=lengths,
            skip_punctuation=settings.skip_punctuation,
        )
        projection.to(self._context.device)
        return LateEncoder(model, self._tokenizer, recipe, projection, source=self._start)

    def _trained(self, encoder: torch.nn.Module) -> torch.nn.Module:
        import torch

        return torch.nn.ModuleDict({"encoder": encoder, "projection": self._encoder.projection})

    @property
    def _shape(self) -> tuple[int, ...]:
        return self.budget.least, self._encoder.dimensions

    def _vectors(self, inputs: Inputs, of_documents: NDArray[np.bool_], draw: Draw) -> torch.Tensor:
        from torch.nn.functional import pad

        found = self._encoder.vectors(inputs, of_documents, draw)
        return pad(found, (0, 0, 0, self._shape[0] - found.shape[1]))

    @staticmethod
    def _score(queries: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
        from switchrank.train.contrast import max_sim

        return max_sim(queries, candidates)

    @staticmethod
    def _score_own(queries: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
        from switchrank.train.contrast import max_sim_of_own

        return max_sim_of_own(queries, candidates)

    def _judged(self) -> NDArray[np.float32]:
        """Each process scores the lists of some queries."""
        import numpy as np
        import torch

        from switchrank.train.contrast import max_sim

        processes = self._context.processes
        scores = np.zeros(len(self._dev), np.float32)
        mine = np.flatnonzero(self._dev.query % processes.count == processes.rank)
        queries = self._dev_vectors(self._dev.query[mine], "query")
        passages = self._dev_vectors(self._dev.passage[mine], "document")
        for query, vectors in queries.items():
            rows = mine[self._dev.query[mine] == query]
            listed = [passages[passage] for passage in self._dev.passage[rows].tolist()]
            scores[rows] = max_sim(vectors[None], torch.nn.utils.rnn.pad_sequence(listed, batch_first=True))[0].numpy()
        processes.add(torch.from_numpy(scores))
        return scores

    def _dev_vectors(self, numbers: Numbers, kind: Kind) -> dict[int, torch.Tensor]:
        """The vectors of texts of the development set, by their numbers; each text is encoded once."""
        import numpy as np
        import torch

        used = np.unique(numbers)
        with self._context.autocast():
            vectors = self._encoder.encode(self._dev.texts[used].to_list(), kind)
        return {number: torch.from_numpy(one) for number, one in zip(used.tolist(), vectors, strict=True)}


METHOD = LateInteraction
