"""Models as MTEB (arXiv 2210.07316) calls them: one that encodes texts, or one that scores pairs of texts.

MTEB asks for methods and no class of its own, so that nothing here needs it but what tells it about a model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch.nn import functional

from switchrank.core.digest import file_digest
from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.models.dual_encoder import DualEncoder
from switchrank.models.folder import check_model, is_folder, read_object, refuse_ranker
from switchrank.models.text_encoder import Vectors
from switchrank.rank.inference import USUAL, Inference
from switchrank.rank.score import Reranker, TextTable, score_candidates

if TYPE_CHECKING:
    from mteb.models import ModelMeta

Batches = Iterable[Mapping[str, Any]]
"""What MTEB hands over: texts are in ``text``."""


class MtebEncoder:
    """A dual encoder, with prompts and lengths of queries and documents as they are its own.

    Attributes:
        mteb_model_meta: what MTEB writes into its results.
    """

    def __init__(self, encoder: DualEncoder, about: ModelMeta) -> None:
        self._encoder, self.mteb_model_meta = encoder, about

    def encode(self, inputs: Batches, *, hf_subset: str = "", prompt_type: Any = None, **_: Any) -> Vectors:
        """The vectors of all texts, float32 ``(texts, dimensions)``; ``prompt_type`` is query, document or None."""
        batches = progress(inputs, what=f"encode {hf_subset}", unit="batches")
        texts = (text for batch in batches for text in batch["text"])
        parts = self._encoder.encode_stream(texts, getattr(prompt_type, "value", prompt_type))
        return np.concatenate([np.empty((0, self._encoder.dimensions), np.float32), *parts])

    def similarity(self, embeddings1: Any, embeddings2: Any) -> torch.Tensor:
        """Cosines of each vector with each of others, float32 ``(n, m)``."""
        return _unit(embeddings1) @ _unit(embeddings2).T

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> torch.Tensor:
        """Cosines of vectors with those in the same place, float32 ``(n,)``."""
        return (_unit(embeddings1) * _unit(embeddings2)).sum(-1)


class MtebRanker:
    """A cross-encoder, which re-ranks the candidates of a task; equal texts are tokenised once, equal pairs tie.

    Attributes:
        mteb_model_meta: what MTEB writes into its results.
    """

    def __init__(self, reranker: Reranker, about: ModelMeta) -> None:
        self._reranker, self.mteb_model_meta = reranker, about

    def predict(self, inputs1: Batches, inputs2: Batches, *, hf_subset: str = "", **_: Any) -> NDArray[np.float32]:
        """Logits of the pairs of a query and a document in the same place, float32 ``(pairs,)``."""
        queries, documents = ([text for batch in inputs for text in batch["text"]] for inputs in (inputs1, inputs2))
        pairs = pl.DataFrame({"qid": queries, "docid": documents}, schema=dict.fromkeys(("qid", "docid"), pl.String))
        asked, found = (
            TextTable(self._reranker, texts, texts, source=f"MTEB {hf_subset}", what=what)
            for what, texts in (("query", queries), ("document", documents))
        )
        scores = score_candidates(self._reranker, asked, found, pairs, source="MTEB", what=f"rank {hf_subset}")
        return scores["score"].to_numpy()


def open_model(folder: str | Path, *, name: str = "", inference: Inference = USUAL) -> MtebEncoder | MtebRanker:
    """The model of a folder as ``mteb.evaluate`` takes it: a dual encoder or a cross-encoder.

    Args:
        folder: ours or not.
        name: of the model in MTEB's results, owner/name; default: local/ and that of the folder.
        inference: as for ranking; of a dual encoder ``max_length`` is that of each text, and ``truncation`` is refused.

    Raises:
        UserError: no folder of a model, or as of :meth:`.DualEncoder.open` and :class:`.Reranker`.
        NoGpuError: a GPU was asked for and none is there.

    >>> import mteb  # doctest: +SKIP
    >>> mteb.evaluate(open_model("results/xquad/models/hybrid/en-en/seed1"), mteb.get_task("XQuADRetrieval"))
    """
    if not is_folder(folder):
        raise UserError(folder, "", "no such model folder", "name a folder; MTEB opens models of the hub by itself")
    check_model(folder)
    place, called = Path(folder), name or f"local/{Path(folder).resolve().name}"
    if _is_ranker(place):
        reranker = Reranker(folder, inference)
        used = reranker.max_length, reranker.precision, reranker.truncation
        kind = {"max_tokens": reranker.max_length, "model_type": ["cross-encoder"]}
        return MtebRanker(reranker, _meta(name=called, revision=_revision(place, used), **kind))
    if inference.truncation:
        raise UserError(folder, "truncation", "has no meaning with a dual encoder", "leave it out")
    asked = inference.max_length
    encoder = DualEncoder.open(
        folder,
        lengths={"query": asked, "document": asked} if asked else None,
        device=inference.device,
        threads=inference.threads,
        precision=inference.precision,
        token_budget=inference.token_budget,
    )
    kind = {"max_tokens": encoder.recipe.max_length, "embed_dim": encoder.dimensions}
    revision = _revision(place, (encoder.recipe, encoder.rooms, inference.precision))
    return MtebEncoder(encoder, _meta(name=called, revision=revision, **kind))


def _is_ranker(folder: Path) -> bool:
    try:
        refuse_ranker(folder, read_object(folder / "config.json"))
    except UserError:
        return True
    return False


def _revision(folder: Path, used: object) -> str:
    """A digest of the weights and of how they are ``used``, in the place of a commit of the hub."""
    weights = [file_digest(file) for file in sorted(folder.glob("*.safetensors"))]
    return hashlib.sha256(f"{weights} {used}".encode()).hexdigest()[:40]


def _meta(**known: Any) -> ModelMeta:
    from mteb.models import ModelMeta

    return ModelMeta.create_empty(overwrites={"framework": ["PyTorch", "safetensors"], "open_weights": True, **known})


def _unit(vectors: Any) -> torch.Tensor:
    return functional.normalize(torch.as_tensor(vectors), dim=-1)
