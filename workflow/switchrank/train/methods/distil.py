"""Distillation: an encoder learns to give the vectors of another, which is frozen.

On texts that both read it learns to give the same token vectors, by mean squared error. So layers are repaired: a
student may be some layers of its teacher. Layers that are left out change what the others are given, so that these
do badly before they are trained again; as they still know most of it, little text without any labels repairs them.

On bitext the teacher reads the source of each line, and the student its target: a teacher of English makes a student
of another language. As the tokens of two languages do not correspond one by one, each loss has its own way to compare
them (:mod:`switchrank.train.token_alignment`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from switchrank.core.errors import UserError
from switchrank.train.method import Budget, Context, Data, Method, Need, Step
from switchrank.train.settings import Settings, TextSettings, setting, setting_of

if TYPE_CHECKING:
    import torch

    from switchrank.models.pretrained import Model
    from switchrank.train.taught_lines import TaughtLines
    from switchrank.train.taught_texts import TaughtTexts
    from switchrank.train.trained_start import Told

_TEXTS, _LINES = "texts", "bitext"


@dataclass(frozen=True)
class RepairSettings(TextSettings):
    """How an encoder learns from another on texts that both read."""

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


@dataclass(frozen=True)
class DistilSettings(RepairSettings):
    """How an encoder learns from another on texts that both read, or on bitext."""

    loss: Literal["tokens", "transport", "greedy", "mse", "max-sim"] = setting(
        "tokens",
        "how vectors of teacher and student are compared. `tokens`: token by token, on texts; on bitext `transport`: "
        "the cost of an optimal transport plan between tokens, `greedy`: the squared error of tokens paired greedily, "
        "`mse`: that of mean vectors, `max-sim`: the cosine of each token to the nearest one",
    )
    lines: int = setting(0, "lines of bitext that are drawn per language pair, the fewer among the more; 0: all")
    english: float = setting(0.5, "weight of the same loss where the student reads the source side too")
    pooled: float = setting(0.0, "weight of 1 minus the cosine of mean directions of tokens, which is added")
    solver: Literal["sinkhorn", "ipot"] = setting("sinkhorn", "what finds transport plans")
    eps: float = setting(0.05, "strength of the plan's entropy, or of ipot's proximal step, in cosines", above=0)
    iterations: int = setting(30, "of the solver", least=1)
    marginals: Literal["uniform", "idf", "unbalanced"] = setting(
        "uniform",
        "weights of tokens in a plan; `idf`: the rarer a piece, the more; `unbalanced`: uniform, and need not be met",
    )
    rho: float = setting(1.0, "price of not meeting unbalanced weights", above=0)

    def check(self) -> None:
        super().check()
        if self.solver == "ipot" and self.marginals == "unbalanced":
            raise UserError("train settings", "solver", "ipot meets all weights", "write sinkhorn for unbalanced ones")

    def plain(self) -> dict[str, Any]:
        """As JSON-plain values; where texts are learned from, without the settings of bitext."""
        of_texts = {field.name for field in fields(RepairSettings)}
        return {key: value for key, value in super().plain().items() if self.loss != "tokens" or key in of_texts}


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
    """Texts or bitext in, an encoder out that reads them as its teacher does, with the head that it had.

    It reads ``start``, the folder of the student; ``teacher``, by default the start itself with all its layers; and for
    ``loss: tokens`` ``texts``, files that :func:`switchrank.train.tokenizer.read_texts` takes, for all others
    ``bitext``, ``BITEXT`` tables in folders such as ``en-de``. Some texts or lines are set aside to judge by, or
    ``dev`` gives tables of lines for that. Of bitext an instance is a line. The loss of a step is the mean over its
    texts or lines, that of a text the mean over its tokens.
    """

    Settings = DistilSettings
    reads: ClassVar[Mapping[str, Need]] = dict.fromkeys(("texts", "bitext", "teacher", "dev"), "optional")
    instances = "texts"
    measure = "squared_error"
    greater_is_better = False

    def __init__(self, context: Context[DistilSettings]) -> None:
        from switchrank.models.pretrained import freeze_body, open_both
        from switchrank.train.distillation import Distillation, check_teacher

        settings, data = context.settings, context.data
        check_roles(settings, data)
        self._context, self._start = context, data.one("start")
        source = data.one("teacher") if data.has("teacher") else self._start
        student, tokenizer = open_both(self._start, dropout=settings.dropout, device=context.device)
        teacher, teachers = open_both(source, device=context.device)
        check_teacher(student, teacher, source)
        repairs = settings.loss == "tokens"
        self._layers = keep_layers(student, settings.layers, self._start) if repairs or settings.layers else None
        self.trained = student.to(context.device).train()
        if settings.trainable == "embeddings":
            freeze_body(student)
        pair = Distillation(student, teacher.to(context.device))
        self._taught: TaughtTexts | TaughtLines
        if repairs:
            from switchrank.train.taught_texts import TaughtTexts

            check_tokenizers(tokenizer, teachers, source)
            self._taught = TaughtTexts(context, pair, tokenizer)
        else:
            from switchrank.train.taught_lines import TaughtLines

            self._taught = TaughtLines(context, pair, (tokenizer, teachers), (student.config, teacher.config))
        self.measure = self._taught.measure
        self.count, self.unit, self.per_step = self._taught.count, self._taught.unit, settings.batch_size
        least = self._taught.longest
        self.budget: Budget = Budget(settings.token_budget, least, "token budget", "tokens", "lower max_length")
        self._before = self.judge()

    @classmethod
    def is_judged(cls, _: Data) -> bool:
        return True

    def losses(self, step: Step) -> Iterator[torch.Tensor]:
        for errors in self._taught.errors(step.share, self.budget.size, step.number):
            yield errors.sum() / len(step.units)

    def judge(self) -> dict[str, float]:
        self.trained.eval()
        found = self._taught.judge(self.budget.size)
        self.trained.train()
        return found

    def record(self) -> dict[str, Any]:
        from switchrank.train.trained_start import earlier_start

        layers = {} if self._layers is None else {"layers": self._layers}
        return {"start": earlier_start(self._start), **layers, **self._taught.record(), "before": self._before}

    def write(self, folder: Path, record: Mapping[str, Any]) -> None:
        from switchrank.train.trained_start import kept_scores, write_start

        after, start = kept_scores(record), dict(record["start"])
        if "layers" in record:
            start["layers"] = record["layers"]
        start, told = self._told(start, after)
        write_start(self.trained, folder, self._start, start, record, told)

    def _told(self, start: Mapping[str, Any], after: Mapping[str, float]) -> tuple[dict[str, Any], Told]:
        """What is told of a start with such scores: its record, and what its card says."""
        from switchrank.train.trained_start import Told, learned

        ends = {"before": self._before[self.measure], "after": after[self.measure]}
        errors = "{before:.4g} before, {after:.4g} after.".format(**ends)
        if self._context.settings.loss == "tokens":
            goal = "to give the token vectors of its teacher, without any labels."
            layers = {**start["layers"], **ends}
            result = f"Mean squared error on texts set aside: {errors}"
            return {**start, "layers": layers}, Told("texts", goal, result, "errors")
        loss, data = self._context.settings.loss, f"{self.count:,} lines of bitext"
        goal = f"to make of their targets what its teacher makes of their sources (loss: {loss})."
        facts = {"loss": loss, "before": self._before, "after": dict(after)}
        result = f"Loss on {self._taught.held_out} lines set aside: {errors}"
        return learned(start, "distil", data, **facts), Told("lines", goal, result, "measures")


def check_roles(settings: DistilSettings, data: Data) -> None:
    """Raise UserError for files that the loss does not read, or where nothing is to be learned."""
    used, unused = (_TEXTS, _LINES) if settings.loss == "tokens" else (_LINES, _TEXTS)
    if data.has(unused):
        todo = f"give {used}, or a loss that reads them, such as " + ("transport" if unused == _LINES else "tokens")
        raise UserError("train", unused, f"given, and loss: {settings.loss} does not read them", todo)
    if settings.loss == "tokens" and not (settings.layers or data.has("teacher")):
        raise UserError("train", "layers", "none, so that nothing is left out", "name those that are kept")


def check_tokenizers(ours: Any, theirs: Any, source: str | Path) -> None:
    """Raise UserError where tokens of a student and of its teacher, whose folder is ``source``, are not the same."""
    from switchrank.train.distillation import same_pieces

    if not same_pieces(ours, theirs):
        problem = "not that of the student, so that tokens cannot be compared one by one"
        raise UserError(source, "tokenizer", problem, "give a teacher with the same, or another loss and bitext")


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


METHOD = Distil
