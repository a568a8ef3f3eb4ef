"""A dual encoder, trained to tell the passage of each query from the others of its batch, in one or several languages.

The loss is InfoNCE over in-batch and hard negatives (:mod:`switchrank.train.contrast`), the batches are composed by
language (:mod:`switchrank.train.composer`). A batch may be far larger than memory: where a step has more tokens than
``token_budget``, gradients are cached (Gao et al. 2021, arXiv 2101.06983), and are those of the whole batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from switchrank import __version__
from switchrank.core.errors import UserError
from switchrank.train.method import Budget, Context, Method, Need, Step
from switchrank.train.origin import describe_licence, describe_start
from switchrank.train.settings import TextSettings, setting

if TYPE_CHECKING:
    import torch

    from switchrank.core.ragged import Numbers
    from switchrank.models.dual_encoder import Vectors
    from switchrank.models.recipe import Kind
    from switchrank.train.batch_texts import BatchTexts
    from switchrank.train.composer import Composer
    from switchrank.train.gradient_cache import Part

_TOLD = """Trained with switchrank {version} for {steps} steps of {batch} pairs from {start}
({batches} batches, temperature {temperature:g}, learning rate {lr:g}, {precision}, seed {seed}).
{licence}{dev}`train.json` records parameters, inputs, versions, loss and development scores.
"""


@dataclass(frozen=True)
class ContrastiveSettings(TextSettings):
    """How a dual encoder is trained."""

    max_length: int = setting(128, "subword tokens per passage, its prompt included", least=8)
    query_length: int = setting(64, "subword tokens per query, its prompt included", least=8)
    pooling: Literal["mean", "cls", "last"] = setting("mean", "which states of tokens make the vector of a text")
    query_prompt: str | None = setting(None, "what is put before queries; null: what the starting model says")
    document_prompt: str | None = setting(None, "the same before passages")
    temperature: float = setting(0.05, "what cosines are divided by", above=0)
    directions: Literal["query", "both"] = setting(
        "query", "`query`: its passage is told from others; `both`: the query of each passage as well"
    )
    negatives: int = setting(1, "hard negatives per pair at most, beside the other passages of the batch")
    margin: float | None = setting(
        None, "passages whose cosine is above that of the right one by more than this are no negatives; null: all are"
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


class Contrastive(Method[ContrastiveSettings]):
    """Pairs of queries and passages in, a folder for ``sentence_transformers.SentenceTransformer`` out.

    It reads ``corpus``, tables with ``CORPUS`` columns (:class:`switchrank.train.parallel.ParallelPairs`); ``dev``, one
    such table, whose lists give MRR@10; and where ``teacher`` has a weight, ``scores``, a ``SCORES`` table.
    """

    Settings = ContrastiveSettings
    reads: ClassVar[Mapping[str, Need]] = {"corpus": "needed", "dev": "optional", "scores": "optional"}
    instances = "pairs"
    measure = "mrr@10"

    def __init__(self, context: Context[ContrastiveSettings]) -> None:
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
        self._open()
        self._pairs = ParallelPairs(data.every("corpus"), self._encoder.recipe.prompts, parallel=settings.parallel)
        self._finder = TextFinder(self._pairs, context.seed, negatives=settings.negatives, copies=settings.align > 0)
        self._tokens = TokenStore(self._pairs.texts, self._tokenizer, max(self._encoder.rooms.values()))
        self._scores = self._pairs.scores(data.one("scores")) if settings.teacher else None
        self.count, self.unit, self.per_step = len(self._pairs), "pairs", settings.batch_size
        longest = max(self._encoder.rooms.values()) + self._encoder.template.specials
        self.budget: Budget = Budget(self._tokens_at_once(), longest, "token budget", "tokens", "lower max_length")
        if data.has("dev"):
            self._dev = Pairs(data.every("dev"))

    def _open(self) -> None:
        from dataclasses import replace

        from switchrank.models.dual_encoder import DualEncoder
        from switchrank.models.pretrained import freeze_body, open_encoder
        from switchrank.models.recipe import read_recipe

        settings = self._context.settings
        device = self._context.device
        model, self._tokenizer = open_encoder(self._start, dropout=settings.dropout, device=device)
        recipe = read_recipe(self._start)
        model.to(device).train()
        self.trained = getattr(model, model.base_model_prefix)
        if settings.trainable == "embeddings":
            freeze_body(model)
        for name, parameter in self.trained.named_parameters():
            if name.startswith("pooler."):
                parameter.requires_grad_(False)
        given: dict[Kind, str | None] = {"query": settings.query_prompt, "document": settings.document_prompt}
        prompts = {kind: recipe.prompts.get(kind, "") if text is None else text for kind, text in given.items()}
        lengths: dict[Kind, int] = {"query": settings.query_length, "document": settings.max_length}
        recipe = replace(
            recipe, pooling=settings.pooling, normalised=True, prompts=prompts, max_length=max(lengths.values())
        )
        self._encoder = DualEncoder(model, self._tokenizer, recipe, source=self._start, lengths=lengths)

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

        processes, encoder = self._context.processes, self._encoder
        batch = self._finder.of(step.number, step.units)
        there = batch.texts >= 0
        mine = np.zeros_like(there)
        rows = processes.share(np.arange(len(step.units)), self.per_step)
        mine[rows] = there[rows]

        def encode(part: Part) -> torch.Tensor:
            with self._context.autocast():
                return encoder.vectors(part.inputs, Draw(self._drops, step.number, part.places))

        yield from losses_of_parts(
            self._parts(batch.texts, np.flatnonzero(mine)),
            encode,
            lambda vectors: self._loss(batch, vectors.view(*there.shape, -1)),
            vectors=torch.zeros(there.size, encoder.dimensions, device=self._context.device),
            count=int(there.sum()),
            processes=processes,
        )

    def _parts(self, texts: Numbers, places: Numbers) -> list[Part]:
        """The inputs of the texts at some places of a batch, ``texts.ravel()[places]``, by what is encoded at once."""
        import numpy as np
        import torch

        from switchrank.models.encode import text_batches
        from switchrank.train.gradient_cache import Part

        numbers, column = texts.ravel()[places], places % texts.shape[1]
        self._tokens.prepare(numbers)
        of_query = (column == 0) | (column == 2 + self._context.settings.negatives)
        rooms = np.where(of_query, *(self._encoder.rooms[kind] for kind in ("query", "document")))
        tokens = self._tokens.take(numbers).cut(rooms)
        batches = text_batches(self._encoder.template, tokens, self.budget.size)
        return [
            Part(places[some], {name: torch.from_numpy(ids) for name, ids in inputs.items()})
            for some, inputs in batches
        ]

    def _loss(self, batch: BatchTexts, vectors: torch.Tensor) -> torch.Tensor:
        """The loss of a step, by its vectors ``(rows, columns, d)``; those where there is no text are not looked at."""
        import torch

        from switchrank.train.contrast import distillation, info_nce

        settings, columns = self._context.settings, 1 + batch.candidates.shape[1]
        ids = batch.candidates.T.ravel()
        kept = ids >= 0
        candidates = vectors[:, 1:columns].transpose(0, 1).flatten(0, 1)[torch.from_numpy(kept).to(vectors.device)]
        relevant = torch.from_numpy(self._pairs.is_relevant(batch.query[:, None], ids[kept])).to(vectors.device)
        both, reverse = settings.directions == "both", settings.reverse
        how: dict[str, Any] = {"margin": settings.margin, "both": both, "reverse": reverse}
        loss = info_nce(vectors[:, 0], candidates, settings.temperature, excluded=relevant, **how)
        for side, copy in enumerate(range(columns, vectors.shape[1])):
            rows = torch.from_numpy(batch.texts[:, copy] >= 0).to(vectors.device)
            if rows.any():
                aligned = info_nce(vectors[rows, side], vectors[rows, copy], settings.temperature)
                loss = loss + settings.align / 2 * aligned
        if self._scores is not None:
            taught = torch.from_numpy(self._scores.of(batch.query[:, None], batch.candidates)).to(vectors.device)
            cosines = (vectors[:, :1] * vectors[:, 1:columns]).sum(-1)
            difference = distillation(cosines, taught, settings.temperature, settings.teacher_loss)
            loss = loss + settings.teacher * difference
        return loss

    def judge(self) -> dict[str, float]:
        from switchrank.train.objectives import mean_reciprocal_rank

        self._encoder.model.eval()
        with self._context.autocast():
            queries = self._dev_vectors(self._dev.query, "query")
            passages = self._dev_vectors(self._dev.passage, "document")
        self._encoder.model.train()
        return {self.measure: mean_reciprocal_rank(self._dev, (queries * passages).sum(1))}

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

    def record(self) -> dict[str, Any]:
        from switchrank.models.origin import start_record

        prompts = {kind: text for kind, text in self._encoder.recipe.prompts.items() if text}
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
        name = record.get("name", "switchrank dual encoder")
        self._encoder.write(folder, origin=start, name=name, told=told)


METHOD = Contrastive
