"""Pretraining: an encoder goes on learning from text before it learns to rank, by masked or contrastive objectives.

Objectives are summed with weights: ``{"mlm": 0.1, "cs": 1}`` is the first stage of Maimaiti et al. (2025, arXiv
2403.01364). A budget is told in tokens that are read, forward and backward, so that an objective that reads two views
of a text takes fewer steps than one that reads it once.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

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
    from switchrank.train.contrastive_terms import ContrastiveTerms
    from switchrank.train.masked_terms import MaskedTerms
    from switchrank.train.units import Order
    from switchrank.train.views import Role, View

_PLACE = "train settings"
_OBJECTIVES = {
    "mlm": "texts",
    "mlm-cs": "texts",
    "tlm": "texts",
    "simcse": "texts",
    "cs": "texts",
    "translation": "bitext",
    "crop": "texts",
}
"""Each with the role of its data; ``tlm`` reads ``bitext`` where there is any."""
_SAMPLED_STEPS = 50
_ASIDE = 1 << 40
"""Steps are numbered from here where held-out lines are judged, so that these have draws of their own."""
_CARD = """---
library_name: transformers
{metadata}tags:
- switchrank
---

# {name}

An encoder to train rankers from: {start}. Trained further with switchrank {version} for {steps} steps of {batch} texts,
{tokens:,} tokens (objectives {objectives}; learning rate {lr:g}, {precision}, seed {seed}), without any labels.
Loss on lines set aside: {before:.4g} before, {after:.4g} after.
{licence}`train.json` records parameters, inputs, versions and losses.
"""


@dataclass(frozen=True)
class PretrainSettings(TextSettings):
    """How an encoder is pretrained further."""

    objectives: Mapping[str, float] = setting(
        {"mlm": 1.0},
        "what is learned, with weights: `mlm` (masked pieces), `mlm-cs` (those of switched text), `tlm` (those of a "
        "text and its translation, or without bitext its switched copy), `simcse` (a text from others, dropped out "
        "twice), `cs` (a text and its switched copy), `translation` (both sides of bitext), `crop` (two spans of a "
        "text)",
    )
    tokens: int = setting(
        0, "tokens to read, forward and backward, over all views of texts, in place of steps; to about a hundredth"
    )
    steps: int = setting_of(Settings, "steps", 0)
    lr: float = setting_of(Settings, "lr", 1.0e-4)
    warmup: float = setting_of(Settings, "warmup", 0.1)
    eval_every: int = setting_of(Settings, "eval_every", 0)
    checkpoint_every: int = setting_of(Settings, "checkpoint_every", 500)
    max_length: int = setting(64, "subword tokens per text; `tlm` reads two as one", least=8)
    temperature: float = setting(0.05, "what cosines are divided by", above=0)
    pooling: Literal["mean", "cls"] = setting("mean", "which states of tokens make the vector of a text")
    layer: int | None = setting(None, "the layer, counted from 1, whose states make vectors; null: the last", least=1)
    p: float = setting(0.5, "chance that a word that the lexicon knows is switched", most=1)
    mask: float = setting(0.15, "share of pieces that are predicted", above=0, most=1)
    languages_exponent: float = setting(
        0.5, "languages are drawn by this power of how many lines they have; 1: by size, 0: all alike", most=1
    )
    held_out: int = setting(500, "lines that are judged and not trained on; a tenth of all at most", least=1)

    def check(self) -> None:
        if not (self.tokens or self.steps or self.epochs):
            raise UserError(_PLACE, "tokens", "0", "say how many tokens to read, or give steps or epochs")
        if self.tokens and (self.steps or self.epochs):
            problem = f"{self.tokens} beside {'steps' if self.steps else 'epochs'}"
            raise UserError(_PLACE, "tokens", problem, "give one of the two")
        if not self.tokens:
            super().check()
        for name in self.objectives:
            if name not in _OBJECTIVES:
                close = difflib.get_close_matches(name, _OBJECTIVES, 1, 0.5)
                todo = f"did you mean {close[0]}?" if close else f"known are {', '.join(_OBJECTIVES)}"
                raise UserError(_PLACE, "objectives", f"{name!r} is not known", todo)
        if not self.weights:
            raise UserError(_PLACE, "objectives", "none has a weight", 'write one, such as {"mlm": 1.0}')
        if self.dropout is not None:
            self.check_dropout([self.dropout])

    def check_dropout(self, shares: Sequence[float]) -> None:
        """Raise UserError where ``simcse`` is learned and none of the shares that are dropped is above 0."""
        if "simcse" in self.weights and not any(shares):
            problem = "0, so that simcse reads the same vector twice"
            raise UserError(_PLACE, "dropout", problem, "write a share above 0, such as 0.1")

    @property
    def weights(self) -> dict[str, float]:
        """The objectives that have a weight, in the order of their names in the settings' meaning."""
        return {name: self.objectives[name] for name in _OBJECTIVES if self.objectives.get(name)}


class Pretrain(Method[PretrainSettings]):
    """Texts in, an encoder out, with the head that it had, and the masked-language head beside it where there is one.

    It reads ``start``, the folder of a model; ``texts``, files of one language each (``<language>/train.parquet``);
    ``bitext``, tables of pairs of languages (``<source>-<target>/train.parquet``); and ``lexicon``, tables by whose
    translations texts are switched (``<source>-<target>.parquet``). Some lines are set aside.

    The loss of a step is the weighted sum of those of its objectives: the mean cross-entropy over the pieces to be
    predicted; and InfoNCE, in both directions, over rows, of which equal lines are no negatives of each other.
    """

    Settings = PretrainSettings
    reads: ClassVar[Mapping[str, Need]] = {"texts": "optional", "bitext": "optional", "lexicon": "optional"}
    instances = "texts"
    measure = "loss"
    greater_is_better = False

    def __init__(self, context: Context[PretrainSettings]) -> None:
        settings, data = context.settings, context.data
        self._context, self._start, self._weights = context, data.one("start"), settings.weights
        bitext = data.has("bitext") and "tlm" in self._weights
        self._roles: dict[str, Role] = {
            name: "bitext" if _OBJECTIVES[name] == "bitext" or (name == "tlm" and bitext) else "texts"
            for name in self._weights
        }
        self._open_model()
        self._open_lines()
        self._open_terms()
        self.unit, self.per_step = "texts", settings.batch_size * len(self._pools)
        self.count = sum(len(pool.trained) for pool in self._pools.values())
        self._read = {"tokens": 0, "unchanged": 0}
        self._before = self.judge()

    def _open_model(self) -> None:
        import torch

        from switchrank.core.allocator import swift_tokens
        from switchrank.core.precision import PRECISIONS
        from switchrank.models.masked_head import open_masked_head
        from switchrank.models.pretrained import freeze_body, longest_input, open_both
        from switchrank.train.views import PREDICTED

        context, settings = self._context, self._context.settings
        model, self._tokenizer = open_both(self._start, dropout=settings.dropout, device=context.device)
        shares = ("hidden_dropout_prob", "attention_probs_dropout_prob", "attention_dropout")
        settings.check_dropout([getattr(model.config, name, 0.0) for name in shares])
        layers = int(model.config.num_hidden_layers)
        if settings.layer is not None and settings.layer > layers:
            problem = f"{settings.layer}, and the model has {layers}"
            raise UserError(self._start, "layer", problem, "name one that it has, or leave it out")
        model.to(context.device)
        if settings.trainable == "embeddings":
            freeze_body(model)
        self.trained = torch.nn.ModuleDict({"encoder": model})
        self._predicting = [name for name in self._weights if name in PREDICTED]
        self._head = open_masked_head(self._start, model) if self._predicting else None
        if self._head is not None:
            self.trained["head"] = self._head
        for name in ("tokens", "unchanged"):
            self.trained.register_buffer(name, torch.zeros((), dtype=torch.int64))
        self.trained.train()
        self._model = model
        longest = longest_input(self._tokenizer, model.config)
        self._lengths = min(settings.max_length, longest), min(2 * settings.max_length, longest)
        itemsize = (PRECISIONS[context.precision] or torch.float32).itemsize
        swift = swift_tokens(model.config, context.device.type, itemsize)
        tokens = min(settings.token_budget, swift)
        self.budget: Budget = Budget(tokens, max(self._lengths), "token budget", "tokens", "lower max_length")

    def _open_lines(self) -> None:
        from switchrank.train.line_pool import LinePool
        from switchrank.train.line_tables import read_lines, read_pairs
        from switchrank.train.switched_lines import SwitchedLines
        from switchrank.train.views import SWITCHED, Views

        settings, seed = self._context.settings, self._context.seed
        self._pools: dict[Role, LinePool] = {}
        if "texts" in self._roles.values():
            lines = {name: texts.to_frame() for name, texts in read_lines(self._needed("texts")).items()}
            self._pools["texts"] = LinePool(lines, "texts", settings.held_out, seed)
        if "bitext" in self._roles.values():
            pairs = {"-".join(pair): rows for pair, rows in read_pairs(self._needed("bitext")).items()}
            self._pools["bitext"] = LinePool(pairs, "bitext", settings.held_out, seed)
        self._switched = None
        if any(name in SWITCHED or (name == "tlm" and role == "texts") for name, role in self._roles.items()):
            pool = self._pools["texts"]
            lexicons = self._needed("lexicon")
            self._switched = SwitchedLines(pool.frame["text"], pool.groups, lexicons, p=settings.p, seed=seed)
        cropped = "crop" in self._weights
        shape: dict[str, Any] = {"cropped": cropped, "batch_size": settings.batch_size, "seed": seed}
        self._views = Views(self._pools, self._switched, self._tokenizer, self._lengths, **shape)

    def _open_terms(self) -> None:
        from switchrank.train.contrastive_terms import ContrastiveTerms
        from switchrank.train.masked_terms import MaskedTerms
        from switchrank.train.masking import Masking

        context, settings, shared = self._context, self._context.settings, (self._views, self.budget)
        how: dict[str, Any] = {name: getattr(settings, name) for name in ("temperature", "pooling", "layer")}
        matched = ContrastiveTerms(context, self._model, *shared, **how)
        self._terms: dict[str, ContrastiveTerms | MaskedTerms] = dict.fromkeys(self._weights, matched)
        if self._head is not None:
            masking = Masking(self._tokenizer, settings.mask, context.seed)
            predicted = MaskedTerms(context, self._model, self._head, *shared, masking)
            self._terms |= dict.fromkeys(self._predicting, predicted)

    def _needed(self, role: str) -> list[str]:
        """The files of a role; UserError, with the objectives that read them, where there are none."""
        if not self._context.data.has(role):
            problem = f"not given, and {', '.join(self._weights)} cannot do without"
            raise UserError("train", role, problem, f"give {role}, or leave out the objectives that read it")
        return self._context.data.every(role)

    @classmethod
    def is_judged(cls, _: Data) -> bool:
        return True

    def order(self, seed: int) -> Order:
        from switchrank.train.units import OrderOfBoth

        settings, pools = self._context.settings, list(self._pools.values())
        first, *others = (pool.order(settings.batch_size, seed, settings.languages_exponent) for pool in pools)
        return OrderOfBoth(first, others[0], len(pools[0].trained)) if others else first

    def planned(self, settings: PretrainSettings) -> PretrainSettings:
        """With ``tokens`` so many steps as read them, by what the first steps read."""
        if not settings.tokens:
            return super().planned(settings)
        order, read = self.order(self._context.seed), 0
        for step in range(_SAMPLED_STEPS):
            read += sum(view.tokens for view in self._views_of(step, order.rows(step, step + 1)).values())
        steps = max(1, round(settings.tokens * _SAMPLED_STEPS / max(1, read)))
        planned = dataclasses.replace(settings, steps=steps)
        planned.check_schedule()
        return planned

    def _views_of(self, step: int, units: Numbers) -> dict[str, View]:
        """By objective what is read in a step; units are those of one pool, then those of the other."""
        size, lines, first = self._context.settings.batch_size, {}, 0
        for number, (role, pool) in enumerate(self._pools.items()):
            lines[role] = pool.trained[units[number * size : (number + 1) * size] - first]
            first += len(pool.trained)
        return {name: self._views.of(name, step, lines[role]) for name, role in self._roles.items()}

    def losses(self, step: Step) -> Iterator[torch.Tensor]:
        views = self._views_of(step.number, step.units)
        self._read = {
            "tokens": sum(view.tokens for view in views.values()),
            "unchanged": sum(view.unchanged for view in views.values()),
        }
        for name, view in views.items():
            for loss in self._terms[name].losses(name, step.number, view):
                yield self._weights[name] * loss

    def after_step(self) -> None:
        for name, count in self._read.items():
            self.trained.get_buffer(name).add_(count)

    def judge(self) -> dict[str, float]:
        import numpy as np
        import torch

        settings, processes = self._context.settings, self._context.processes
        sums = {name: torch.zeros(2, dtype=torch.float64) for name in self._weights}
        self.trained.eval()
        with torch.no_grad():
            for name, role in self._roles.items():
                lines = self._pools[role].held_out
                batches = np.split(lines, range(settings.batch_size, len(lines), settings.batch_size))
                for number in range(processes.rank, len(batches), processes.count):
                    step = _ASIDE + number
                    sums[name] += self._terms[name].judged(name, step, self._views.of(name, step, batches[number]))
        self.trained.train()
        totals = processes.add(torch.stack(list(sums.values()))).tolist()
        found = {name: total / max(1.0, count) for name, (total, count) in zip(sums, totals, strict=True)}
        return {self.measure: sum(self._weights[name] * loss for name, loss in found.items()), **found}

    def record(self) -> dict[str, Any]:
        from switchrank.models.origin import start_record

        lines: dict[str, Any] = {role: pool.record() for role, pool in self._pools.items()}
        covered = {"covered": self._switched.covered} if self._switched is not None else {}
        counts = {name: int(self.trained.get_buffer(name)) for name in self._read}
        start = start_record(self._start) or {"model": self._start.name}
        return {"start": start, **lines, **covered, **counts, "before": self._before}

    def write(self, folder: Path, record: Mapping[str, Any]) -> None:
        from switchrank.models.masked_head import MASKED_HEAD
        from switchrank.models.writing import save_model

        params, kept = record["params"], record["kept"]
        after = next(row[self.measure] for row in record["dev"] if row["step"] == kept)
        save_model(self._model, folder, self._start)
        told = {"objectives": self._weights, "tokens": record["tokens"], "steps": params["steps"]}
        ends = {"before": self._before[self.measure], "after": after}
        earlier = {key: value for key, value in record["start"].items() if key != "masked_head"}
        pretrained = [*earlier.get("pretrained", []), told | ends]
        start = earlier | {"trained": True, "pretrained": pretrained}
        if self._head is not None:
            self._head.save(folder)
            start["masked_head"] = MASKED_HEAD
        write_json(folder / START_RECORD, start)
        card = _CARD.format(
            name=record.get("name", "switchrank encoder"),
            version=__version__,
            steps=params["steps"],
            batch=self.per_step,
            tokens=record["tokens"],
            objectives=", ".join(f"{name} {weight:g}" for name, weight in self._weights.items()),
            lr=params["lr"],
            precision=params["precision"],
            seed=record["seed"],
            start=describe_start(record["start"]),
            metadata=front_matter(start),
            licence=describe_licence(start),
            **ends,
        )
        (folder / "README.md").write_text(card, encoding="utf-8")


METHOD = Pretrain
