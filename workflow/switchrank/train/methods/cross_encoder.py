"""A cross-encoder: one logit per query-passage pair, by default trained with binary cross-entropy.

AdamW with linear warm-up and decay on one logit is Litschko et al. 2023 (arXiv 2305.05295); the other objectives are
described in :mod:`switchrank.train.objectives`. One step is exactly ``batch_size`` pairs, or as many whole groups of a
positive and its negatives as fit that on average.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from switchrank import __version__
from switchrank.models.origin import front_matter
from switchrank.train.method import Context, Method, Need, Step
from switchrank.train.origin import describe_licence, describe_start
from switchrank.train.settings import TextSettings, setting

if TYPE_CHECKING:
    import torch

    from switchrank.core.ragged import Numbers

_CARD = """---
library_name: sentence-transformers
{metadata}pipeline_tag: text-ranking
tags:
- cross-encoder
- switchrank
---

# {name}

A cross-encoder that scores how well a passage answers a query; the higher the logit, the better. Trained with
switchrank {version} for {steps} steps of {batch} (learning rate {lr:g}, {precision}, seed {seed}{loss}) from {start}.
{licence}{dev}
`train.json` records parameters, inputs, versions, loss and development scores.

```python
from sentence_transformers import CrossEncoder

model = CrossEncoder("path/to/this/folder")
scores = model.predict([("a query", "a passage"), ("a query", "another passage")])
```
"""


@dataclass(frozen=True)
class CrossEncoderSettings(TextSettings):
    """How a cross-encoder is trained."""

    truncation: Literal["longest_first", "only_second"] = setting("longest_first", "what is cut")
    objective: Literal["bce", "pairwise", "listwise"] = setting(
        "bce",
        "`bce`: each instance by itself; `pairwise` (logistic) and `listwise` (softmax): each positive against its "
        "negatives, whole groups of them per step, as many as fit batch_size on average",
    )


class CrossEncoder(Method[CrossEncoderSettings]):
    """Query-passage pairs in, a folder for ``sentence_transformers.CrossEncoder`` out.

    It reads ``corpus``, tables with ``CORPUS`` columns in order, and ``dev``, one such table, whose lists give MRR@10.
    """

    Settings = CrossEncoderSettings
    reads: ClassVar[Mapping[str, Need]] = {"corpus": "needed", "dev": "optional"}
    instances = "pairs"
    measure = "mrr@10"

    def __init__(self, context: Context[CrossEncoderSettings]) -> None:
        import torch

        from switchrank.core.seeds import derive_seed
        from switchrank.models.packed import training_forward
        from switchrank.models.pretrained import freeze_body, open_both
        from switchrank.train.batches import Batcher, Pairs
        from switchrank.train.objectives import OBJECTIVES

        settings, data = context.settings, context.data
        self._context, self._start = context, data.one("start")
        self._drops = derive_seed(context.seed, "train", "dropout")
        model, tokenizer = open_both(self._start, dropout=settings.dropout, device=context.device)
        self.trained = model.to(context.device).train()
        if settings.trainable == "embeddings":
            freeze_body(model)
        self._forward = training_forward(model)
        pairs = (data.reader or Pairs)(data.every("corpus"))
        self._labels, self._objective = torch.from_numpy(pairs.label), OBJECTIVES[settings.objective]
        self._units = self._objective.units(pairs, data.every("corpus")[0])
        self.count, self.unit = len(self._units), self._units.name
        self.per_step = max(1, settings.batch_size // self._units.size)
        shape: dict[str, Any] = {
            "max_length": min(settings.max_length, tokenizer.model_max_length),
            "truncation": settings.truncation,
            "token_budget": settings.token_budget,
        }
        self._batcher = Batcher(pairs, tokenizer, **shape)
        self.budget = self._batcher.budget
        if data.has("dev"):
            self._dev = Pairs(data.every("dev"))
            self._dev_batcher = Batcher(self._dev, tokenizer, **shape)

    def prepare(self, units: Numbers) -> None:
        self._batcher.prepare(self._units.rows(units))

    def losses(self, step: Step) -> Iterator[torch.Tensor]:
        from switchrank.models.dropout import Draw

        terms = self._objective.terms(self._labels[self._units.rows(step.units)])
        rows, sizes = self._units.rows(step.share), self._units.sizes(step.share)
        for batch in self._batcher.split(rows, sizes):
            with self._context.autocast():
                scores = self._forward(batch.inputs, Draw(self._drops, step.number, batch.rows))
            yield self._objective.loss(scores.float(), self._labels[batch.rows]) / terms

    def counted(self, units: Numbers) -> int:
        return len(self._units.rows(units))

    def judge(self) -> dict[str, float]:
        from switchrank.train.objectives import logits, mean_reciprocal_rank

        with self._context.autocast():
            scores = logits(self.trained, self._dev_batcher, len(self._dev), self._context.processes)
        return {self.measure: mean_reciprocal_rank(self._dev, scores)}

    def record(self) -> dict[str, Any]:
        from switchrank.models.origin import start_record

        return {"start": start_record(self._start), "pairs": len(self._labels), **self._units.record()}

    def write(self, folder: Path, record: Mapping[str, Any]) -> None:
        from switchrank.models.writing import save_model

        save_model(self.trained, folder, self._start)
        batch = f"{self.per_step} {self.unit}"
        (folder / "README.md").write_text(_model_card(record, batch, self.measure), encoding="utf-8")


def _model_card(record: Mapping[str, Any], batch: str, measure: str) -> str:
    """The text of ``README.md``; ``batch`` says what one step is, such as ``64 pairs``."""
    params, kept = record["params"], record["kept"]
    score = next((row[measure] for row in record["dev"] if row["step"] == kept), None)
    return _CARD.format(
        metadata=front_matter(record["start"]),
        name=record.get("name", "switchrank cross-encoder"),
        version=__version__,
        steps=params["steps"],
        batch=batch,
        lr=params["lr"],
        precision=params["precision"],
        seed=record["seed"],
        loss="" if params["objective"] == "bce" else f", {params['objective']} objective",
        start=describe_start(record["start"]),
        licence=describe_licence(record["start"]),
        dev=f"MRR@10 on the development set after step {kept}: {score:.4f}.\n" if score is not None else "",
    )


METHOD = CrossEncoder
