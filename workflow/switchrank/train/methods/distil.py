"""Distillation: an encoder learns to give the token vectors of another, which is frozen, by mean squared error.

The student may be some layers of its teacher. Layers that are left out change what the others are given, so that these
do badly before they are trained again; as they still know most of it, little text without any labels repairs them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from switchrank import __version__
from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.models.folder import START_RECORD
from switchrank.models.origin import front_matter
from switchrank.train.method import Budget, Context, Data, Method, Need, Step
from switchrank.train.origin import describe_licence, describe_start
from switchrank.train.settings import Settings, TextSettings, setting, setting_of

if TYPE_CHECKING:
    import torch

    from switchrank.core.ragged import Numbers
    from switchrank.models.dropout import Draw
    from switchrank.models.pretrained import Model

_CARD = """---
library_name: transformers
{metadata}tags:
- switchrank
---

# {name}

An encoder to train rankers from: {start}. Trained with switchrank {version} for {steps} steps of {batch} texts
(learning rate {lr:g}, {precision}, seed {seed}) to give the token vectors of its teacher, without any labels.
Mean squared error on texts set aside: {before:.4g} before, {after:.4g} after.
{licence}`train.json` records parameters, inputs, versions, loss and errors.
"""


@dataclass(frozen=True)
class DistilSettings(TextSettings):
    """How an encoder learns from another."""

    steps: int = setting_of(Settings, "steps", 500)
    lr: float = setting_of(Settings, "lr", 5.0e-4)
    warmup: float = setting_of(Settings, "warmup", 0.1)
    eval_every: int = setting_of(Settings, "eval_every", 100)
    checkpoint_every: int = setting_of(Settings, "checkpoint_every", 100)
    max_length: int = setting(128, "subword tokens per text", least=8)
    dropout: float | None = setting_of(TextSettings, "dropout", 0.0)
    layers: Sequence[int] = setting((), "layers that are kept of the starting model, counted from 0; none: all")
    limit: int = setting(20_000, "texts that are drawn of a longer file", least=1)
    held_out: int = setting(500, "texts that are judged and not trained on; a tenth of all at most", least=1)

    def check(self) -> None:
        super().check()
        check_layers(self.layers)


def check_layers(layers: Sequence[int], count: int | None = None, place: str | Path = "train settings") -> None:
    """Raise UserError, about ``place``, where a model has no such layers; it has ``count``, if that is known."""
    todo = "list each layer once, in order, the first as 0"
    if sorted(set(layers)) != list(layers):
        raise UserError(place, "layers", f"{list(layers)} is not in order, or names one twice", todo)
    missing = [layer for layer in layers if layer < 0 or (count is not None and layer >= count)]
    if missing:
        problem = f"no layer {missing[0]}" + (f", as there are {count}" if count is not None else "")
        raise UserError(place, "layers", problem, todo + (f", the last as {count - 1}" if count else ""))


class Distil(Method[DistilSettings]):
    """Texts in, an encoder out that reads them as its teacher does, with the head that it had.

    It reads ``start``, the folder of the student; ``teacher``, by default the start itself with all its layers; and
    ``texts``, files that :func:`switchrank.train.tokenizer.read_texts` takes, some of whose texts are set aside.
    The loss of a text is the mean over its tokens, that of a step the mean over its texts.
    """

    Settings = DistilSettings
    reads: ClassVar[Mapping[str, Need]] = {"texts": "needed", "teacher": "optional"}
    instances = "texts"
    measure = "squared_error"
    greater_is_better = False

    def __init__(self, context: Context[DistilSettings]) -> None:
        from switchrank.core.seeds import derive_seed
        from switchrank.models.encode import read_template, tokenise
        from switchrank.models.pretrained import freeze_body, open_both

        settings, data = context.settings, context.data
        self._context, self._start = context, data.one("start")
        student, tokenizer = open_both(self._start, dropout=settings.dropout, device=context.device)
        teacher, _ = open_both(data.one("teacher") if data.has("teacher") else self._start, device=context.device)
        if not (settings.layers or data.has("teacher")):
            raise UserError("train", "layers", "none, so that nothing is left out", "name those that are kept")
        self._layers = keep_layers(student, settings.layers, self._start)
        self.trained = student.to(context.device).train()
        if settings.trainable == "embeddings":
            freeze_body(student)
        self._pair = Distillation(student, teacher.to(context.device))
        self._drops = derive_seed(context.seed, "train", "dropout")
        self._template = read_template(tokenizer, pair=False)
        longest = min(settings.max_length, tokenizer.model_max_length)
        self._room = longest - self._template.specials
        texts = drawn_texts(data.every("texts"), settings.limit, context.seed)
        self._held_out = min(settings.held_out, max(1, len(texts) // 10))
        self._texts = tokenise(tokenizer, texts, limit=self._room, what="pieces of the texts")
        self.count, self.unit, self.per_step = len(texts) - self._held_out, "texts", settings.batch_size
        self.budget: Budget = Budget(settings.token_budget, longest, "token budget", "tokens", "lower max_length")
        self._before = self.judge()[self.measure]

    @classmethod
    def is_judged(cls, _: Data) -> bool:
        return True

    def losses(self, step: Step) -> Iterator[torch.Tensor]:
        for errors in self._errors(step.share, step.number):
            yield errors.sum() / len(step.units)

    def _errors(self, rows: Numbers, step: int | None = None) -> Iterator[torch.Tensor]:
        """The errors of some texts, ``(n,)`` of each micro-batch, with dropout in a step of training."""
        import torch

        from switchrank.models.dropout import Draw
        from switchrank.models.encode import assemble, by_length

        texts = self._texts.take(rows).cut(self._room)
        for some in by_length(texts.lengths + self._template.specials, self.budget.size):
            arrays = assemble(self._template, texts.take(some), texts.take(some).cut(0))
            inputs = {name: torch.from_numpy(array) for name, array in arrays.items()}
            draw = None if step is None else Draw(self._drops, step, rows[some])
            with self._context.autocast():
                ours, theirs = self._pair.vectors(inputs, inputs, draw)
            yield token_errors(ours, theirs, inputs["attention_mask"].sum(1))

    def judge(self) -> dict[str, float]:
        import numpy as np
        import torch

        processes = self._context.processes
        held_out = np.arange(self.count, self.count + self._held_out)[processes.rank :: processes.count]
        total = torch.zeros((), device=self._context.device)
        self.trained.eval()
        with torch.no_grad():
            for errors in self._errors(held_out):
                total += errors.sum()
        self.trained.train()
        return {self.measure: processes.add(total).item() / self._held_out}

    def record(self) -> dict[str, Any]:
        from switchrank.models.origin import start_record

        start = start_record(self._start) or {"model": self._start.name}
        texts = {"trained_on": self.count, "held_out": self._held_out}
        return {"start": start, "layers": self._layers, "texts": texts, "before": {self.measure: self._before}}

    def write(self, folder: Path, record: Mapping[str, Any]) -> None:
        from switchrank.models.writing import save_model

        after = next(row[self.measure] for row in record["dev"] if row["step"] == record["kept"])
        start = record["start"] | {"layers": record["layers"] | {"before": self._before, "after": after}}
        save_model(self.trained, folder, self._start)
        write_json(folder / START_RECORD, start)
        params = record["params"]
        card = _CARD.format(
            name=record.get("name", "switchrank encoder"),
            version=__version__,
            steps=params["steps"],
            batch=self.per_step,
            lr=params["lr"],
            precision=params["precision"],
            seed=record["seed"],
            start=describe_start(start),
            metadata=front_matter(start),
            licence=describe_licence(start),
            before=self._before,
            after=after,
        )
        (folder / "README.md").write_text(card, encoding="utf-8")


class Distillation:
    """A student and its frozen teacher; what they read need not be the same text."""

    def __init__(self, student: Model, teacher: Model) -> None:
        from switchrank.models.packed import encoding_forward

        self._student = encoding_forward(student)
        self._teacher = encoding_forward(teacher.eval().requires_grad_(False))

    def vectors(
        self, read: Mapping[str, torch.Tensor], shown: Mapping[str, torch.Tensor], draw: Draw | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Token vectors of what the student reads, with gradients, and of what its teacher is shown, float32.

        Both are padded inputs of n texts on the CPU, and become ``(n, longest, width)``, zeros at padding.
        """
        import torch

        with torch.no_grad():
            theirs = self._teacher(shown)
        return self._student(read, draw).float(), theirs.float()


def token_errors(ours: torch.Tensor, theirs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The mean squared error of each text, ``(n,)``, over the tokens that it has, ``lengths`` of them."""
    numbers = lengths.to(ours.device) * ours.shape[-1]
    return (ours - theirs).square().sum((1, 2)) / numbers


def keep_layers(model: Model, layers: Sequence[int], source: str | Path) -> dict[str, Any]:
    """Leave a model these of its layers, or all where none is named; returns which are ``kept``, and ``of`` how many.

    Raises UserError where it has no such layers, or is none of BERT's kind.
    """
    import torch

    body: Any = getattr(getattr(model, model.base_model_prefix), "encoder", None)
    every = getattr(body, "layer", None)
    if not isinstance(every, torch.nn.ModuleList):
        problem = f"a model of type {model.config.model_type} cannot lose any"
        raise UserError(source, "layers", problem, "start from one of type bert, roberta or xlm-roberta")
    check_layers(layers, len(every), source)
    kept = list(layers) or list(range(len(every)))
    body.layer = torch.nn.ModuleList(every[number] for number in kept)
    model.config.num_hidden_layers = len(kept)
    return {"kept": kept, "of": len(every)}


def drawn_texts(files: Sequence[str | Path], limit: int, seed: int) -> list[str]:
    """The distinct texts of some files, at most ``limit`` of each, in an order that the seed decides.

    Raises UserError where there are less than two, or a file cannot be read.
    """
    from switchrank.core.progress import progress
    from switchrank.core.seeds import generator
    from switchrank.train.tokenizer import read_texts

    draws = generator(seed, "texts")
    found: dict[str, None] = {}
    for file in progress(files, what="texts", unit="files"):
        count = sum(1 for _ in read_texts(file))
        kept = set(draws.choice(count, limit, replace=False).tolist()) if count > limit else range(count)
        found |= dict.fromkeys(text for number, text in enumerate(read_texts(file)) if number in kept)
    texts = list(found)
    if len(texts) < 2:
        raise UserError("train", "texts", "fewer than two", "give files with more")
    return [texts[number] for number in draws.permutation(len(texts))]


METHOD = Distil
