"""Training on batches in which each query is told its passage from all others, whatever the texts become.

The loss is InfoNCE over in-batch and hard negatives (:mod:`switchrank.train.contrast`), the batches are composed by
language (:mod:`switchrank.train.composer`). A batch may be far larger than memory: where a step has more tokens than
``token_budget``, gradients are cached (Gao et al. 2021, arXiv 2101.06983), and are those of the whole batch.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from switchrank import __version__
from switchrank.core.errors import UserError
from switchrank.train.method import Budget, Context, Method, Need, Step
from switchrank.train.origin import describe_licence, describe_start
from switchrank.train.settings import TextSettings, setting

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from switchrank.core.ragged import Numbers
    from switchrank.models.dropout import Draw
    from switchrank.models.text_encoder import Inputs, TextEncoder
    from switchrank.train.batch_texts import BatchTexts
    from switchrank.train.composer import Composer
    from switchrank.train.gradient_cache import Part

_TOLD = """Trained with switchrank {version} for {steps} steps of {batch} pairs from {start}
({batches} batches, temperature {temperature:g}, learning rate {lr:g}, {precision}, seed {seed}).
{licence}{dev}`train.json` records parameters, inputs, versions, loss and development scores.
"""


@dataclass(frozen=True)
class InBatchSettings(TextSettings):
    """How a model is trained that turns each text into vectors by itself."""

    max_length: int = setting(128, "subword tokens per passage, what is put before it included", least=8)
    query_length: int = setting(64, "subword tokens per query, what is put before it included", least=8)
    temperature: float = setting(0.05, "what scores are divided by", above=0)
    directions: Literal["query", "both"] = setting(
        "query", "`query`: its passage is told from others; `both`: the query of each passage as well"
    )
    negatives: int = setting(1, "hard negatives per pair at most, beside the other passages of the batch")
    margin: float | None = setting(
        None, "passages whose score is above that of the right one by more than this are no negatives; null: all are"
    )
    batches: Literal["mono", "cross", "hybrid", "mixed"] = setting(
        "mono",
        "`mono`: each batch in one language; `cross`: query and passage in different languages; `hybrid`: each batch "
        "is one of the two; `mixed`: query and passage of each row in one language",
    )
    mono: float = setting(0.5, "share of mono batches in hybrid ones", most=1)
    cross: Literal["row", "batch"] = setting("row", "what the two languages of a cross batch are drawn for")
    languages: Literal["uniform", "size"] = setting(
        "uniform", "how languages are drawn; `size`: as their pairs are many"
    )
    parallel: bool = setting(True, "equal ids in tables of several languages are the same text")
    reverse: float = setting(
        0.0, "weight of telling the query of each passage from others, which is added; not with `directions: both`"
    )
    align: float = setting(0.0, "weight of telling the same text in another language from those of other rows")
    teacher: float = setting(0.0, "weight of the difference to a teacher's scores of passage and hard negatives")
    teacher_loss: Literal["kl", "margin"] = setting("kl", "how that is measured")

    def check(self) -> None:
        super().check()
        if self.teacher and not self.negatives:
            problem = "0, so that a teacher has nothing to compare"
            raise UserError("train settings", "negatives", problem, "write 1 or more, or teacher: 0")
        if self.reverse and self.directions == "both":
            problem = f"{self.reverse:g}, while directions: both has the same loss in it"
            raise UserError("train settings", "reverse", problem, "write directions: query, or reverse: 0")


S = TypeVar("S", bound=InBatchSettings)


class InBatch(Method[S]):
    """Pairs of queries and passages in; what becomes of texts, and how they are compared, a method of this kind says.

    It reads ``corpus``, tables with ``CORPUS`` columns (:class:`switchrank.train.parallel.ParallelPairs`); ``dev``, one
    such table, whose lists give MRR@10; and where ``teacher`` has a weight, ``scores``, a ``SCORES`` table.

    Attributes:
        called: the title of the model card of a model without a name.
    """

    reads: ClassVar[Mapping[str, Need]] = {"corpus": "needed", "dev": "optional", "scores": "optional"}
    instances = "pairs"
    measure = "mrr@10"
    called: ClassVar[str]
    _encoder: TextEncoder[Any]

    def __init__(self, context: Context[S]) -> None:
        from switchrank.core.seeds import derive_seed
        from switchrank.train.batch_texts import TextFinder
        from switchrank.train.batches import Pairs, TokenStore
        from switchrank.train.parallel import ParallelPairs

        settings, data = context.settings, context.data
        if data.reader is not None:
            problem = "texts that are made in training, of which languages are not known"
            raise UserError("train", "corpus", problem, "write it (materialise: true), or train a cross-encoder")
        self._context, self._start = context, data.one("start")
        self._drops = derive_seed(context.seed, "train", "dropout")
        self._open_start()
        self._pairs = ParallelPairs(data.every("corpus"), self._encoder.prompts, parallel=settings.parallel)
        self._finder = TextFinder(self._pairs, context.seed, negatives=settings.negatives, copies=settings.align > 0)
        self._tokens = TokenStore(self._pairs.texts, self._tokenizer, max(self._encoder.rooms.values()))
        self._scores = self._pairs.scores(data.one("scores")) if settings.teacher else None
        self.count, self.unit, self.per_step = len(self._pairs), "pairs", settings.batch_size
        longest = max(self._encoder.rooms.values()) + self._encoder.template.specials
        self.budget: Budget = Budget(self._tokens_at_once(), longest, "token budget", "tokens", "lower max_length")
        if data.has("dev"):
            self._dev = Pairs(data.every("dev"))

    def _open_start(self) -> None:
        from switchrank.models.pretrained import freeze_body, open_encoder

        settings, device = self._context.settings, self._context.device
        model, self._tokenizer = open_encoder(self._start, dropout=settings.dropout, device=device)
        model.to(device).train()
        self._encoder = self._made(model)
        encoder = getattr(model, model.base_model_prefix)
        self.trained = self._trained(encoder)
        if settings.trainable == "embeddings":
            freeze_body(model)
        for name, parameter in encoder.named_parameters():
            if name.startswith("pooler."):
                parameter.requires_grad_(False)

    @abstractmethod
    def _made(self, model: Any) -> TextEncoder[Any]:
        """What makes vectors, of the starting model."""

    def _trained(self, encoder: torch.nn.Module) -> torch.nn.Module:
        """All that is trained, ``encoder`` among it."""
        return encoder

    @property
    @abstractmethod
    def _shape(self) -> tuple[int, ...]:
        """The shape of what a text becomes, whatever its length."""

    @abstractmethod
    def _vectors(self, inputs: Inputs, of_documents: NDArray[np.bool_], draw: Draw) -> torch.Tensor:
        """What padded inputs of n texts become, float32 ``(n, *shape)``."""

    @staticmethod
    @abstractmethod
    def _score(queries: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
        """The scores of all queries, ``(n, *shape)``, and all candidates, ``(m, *shape)``: ``(n, m)``."""

    @staticmethod
    @abstractmethod
    def _score_own(queries: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
        """The scores of queries, ``(n, *shape)``, each with its own candidates, ``(n, m, *shape)``: ``(n, m)``."""

    @abstractmethod
    def _judged(self) -> NDArray[np.float32]:
        """The scores of the pairs of the development set, the same in every process."""

    def _tokens_at_once(self) -> int:
        """The token budget, on a CPU no larger than what is computed without waiting for memory."""
        import torch

        from switchrank.core.allocator import swift_tokens
        from switchrank.core.precision import PRECISIONS

        context = self._context
        itemsize = (PRECISIONS[context.precision] or torch.float32).itemsize
        swift = swift_tokens(self._encoder.model.config, context.device.type, itemsize)
        return min(context.settings.token_budget, swift)

    def order(self, seed: int) -> Composer:
        from switchrank.train.composer import Batches, Composer

        settings = self._context.settings
        batches = Batches(settings.batches, settings.mono, settings.cross, settings.languages)
        return Composer(self._pairs, self.per_step, seed, batches)

    def prepare(self, units: Numbers) -> None:
        import numpy as np

        pairs, query, passage = self._pairs.parts(units)
        queries = self._pairs.queries[self._pairs.query[pairs], query]
        passages = self._pairs.passages[self._pairs.passage[pairs], passage]
        self._tokens.prepare(np.concatenate([queries, passages]))

    def losses(self, step: Step) -> Iterator[torch.Tensor]:
        import numpy as np
        import torch

        from switchrank.models.dropout import Draw
        from switchrank.train.gradient_cache import losses_of_parts

        processes = self._context.processes
        batch = self._finder.of(step.number, step.units)
        there = batch.texts >= 0
        mine = np.zeros_like(there)
        rows = processes.share(np.arange(len(step.units)), self.per_step)
        mine[rows] = there[rows]

        def encode(part: Part) -> torch.Tensor:
            of_documents = ~self._is_query(part.places, there.shape[1])
            with self._context.autocast():
                return self._vectors(part.inputs, of_documents, Draw(self._drops, step.number, part.places))

        yield from losses_of_parts(
            self._parts(batch.texts, np.flatnonzero(mine)),
            encode,
            lambda vectors: self._loss(batch, vectors.view(*there.shape, *self._shape)),
            vectors=torch.zeros(there.size, *self._shape, device=self._context.device),
            count=int(there.sum()),
            processes=processes,
        )

    def _is_query(self, places: Numbers, columns: int) -> NDArray[np.bool_]:
        """Which places of a batch, row by row, are those of queries or of their copies."""
        column = places % columns
        found: NDArray[np.bool_] = (column == 0) | (column == 2 + self._context.settings.negatives)
        return found

    def _parts(self, texts: Numbers, places: Numbers) -> list[Part]:
        """The inputs of the texts at some places of a batch, ``texts.ravel()[places]``, by what is encoded at once."""
        import numpy as np
        import torch

        from switchrank.models.encode import text_batches
        from switchrank.train.gradient_cache import Part

        numbers = texts.ravel()[places]
        self._tokens.prepare(numbers)
        rooms = (self._encoder.rooms[kind] for kind in ("query", "document"))
        tokens = self._tokens.take(numbers).cut(np.where(self._is_query(places, texts.shape[1]), *rooms))
        batches = text_batches(self._encoder.template, tokens, self.budget.size)
        return [
            Part(places[some], {name: torch.from_numpy(ids) for name, ids in inputs.items()})
            for some, inputs in batches
        ]

    def _loss(self, batch: BatchTexts, vectors: torch.Tensor) -> torch.Tensor:
        """The loss of a step, of what its texts became, ``(rows, columns, *shape)``; where there is none, it is not
        looked at."""
        import torch

        from switchrank.train.contrast import distillation, info_nce

        settings, columns = self._context.settings, 1 + batch.candidates.shape[1]
        ids = batch.candidates.T.ravel()
        kept = ids >= 0
        candidates = vectors[:, 1:columns].transpose(0, 1).flatten(0, 1)[torch.from_numpy(kept).to(vectors.device)]
        relevant = torch.from_numpy(self._pairs.is_relevant(batch.query[:, None], ids[kept])).to(vectors.device)
        both, reverse = settings.directions == "both", settings.reverse
        how: dict[str, Any] = {"margin": settings.margin, "both": both, "reverse": reverse, "score": self._score}
        loss = info_nce(vectors[:, 0], candidates, settings.temperature, excluded=relevant, **how)
        for side, copy in enumerate(range(columns, vectors.shape[1])):
            rows = torch.from_numpy(batch.texts[:, copy] >= 0).to(vectors.device)
            if rows.any():
                both_texts = vectors[rows, side], vectors[rows, copy]
                loss = loss + settings.align / 2 * info_nce(*both_texts, settings.temperature, score=self._score)
        if self._scores is not None:
            taught = torch.from_numpy(self._scores.of(batch.query[:, None], batch.candidates)).to(vectors.device)
            scores = self._score_own(vectors[:, 0], vectors[:, 1:columns])
            difference = distillation(scores, taught, settings.temperature, settings.teacher_loss)
            loss = loss + settings.teacher * difference
        return loss

    def judge(self) -> dict[str, float]:
        from switchrank.train.objectives import mean_reciprocal_rank

        self._encoder.model.eval()
        scores = self._judged()
        self._encoder.model.train()
        return {self.measure: mean_reciprocal_rank(self._dev, scores)}

    def record(self) -> dict[str, Any]:
        from switchrank.models.origin import start_record

        prompts = {kind: text for kind, text in self._encoder.prompts.items() if text}
        return {
            "start": start_record(self._start),
            "pairs": self.count,
            "languages": self._pairs.languages,
            "prompts": prompts,
        }

    def write(self, folder: Path, record: Mapping[str, Any]) -> None:
        params, start, kept = record["params"], record["start"], record["kept"]
        score = next((row[self.measure] for row in record["dev"] if row["step"] == kept), None)
        told = _TOLD.format(
            version=__version__,
            steps=params["steps"],
            batch=self.per_step,
            batches=params["batches"],
            temperature=params["temperature"],
            lr=params["lr"],
            precision=params["precision"],
            seed=record["seed"],
            start=describe_start(start),
            licence=describe_licence(start),
            dev="" if score is None else f"MRR@10 on the development set after step {kept}: {score:.4f}.\n",
        )
        self._encoder.write(folder, origin=start, name=record.get("name", self.called), told=told)
