"""Lexical injection: the vectors of a word and of its translation come together in one of an encoder's layers.

Targeted lexical injection (Ngugi 2025, arXiv 2506.15415) trains an early layer, in which translations are near each
other already, by word pairs; what later layers make of it comes nearer too. Ours trains all weights up to that layer by
InfoNCE over the pairs of a batch, where the publication has low-rank adapters and triplets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from switchrank.core.errors import UserError
from switchrank.train.method import Budget, Context, Data, Method, Need, Step
from switchrank.train.settings import Settings, TextSettings, setting, setting_of

if TYPE_CHECKING:
    import torch

    from switchrank.core.ragged import Numbers
    from switchrank.train.gradient_cache import Part


@dataclass(frozen=True)
class InjectSettings(TextSettings):
    """How an encoder learns the pairs of a lexicon."""

    steps: int = setting_of(Settings, "steps", 500)
    batch_size: int = setting_of(Settings, "batch_size", 128)
    warmup: float = setting_of(Settings, "warmup", 0.1)
    eval_every: int = setting_of(Settings, "eval_every", 100)
    checkpoint_every: int = setting_of(Settings, "checkpoint_every", 100)
    max_length: int = setting(32, "subword tokens per word", least=8)
    layer: int | None = setting(
        None, "the layer whose states make the vectors of words, counted from 1; null: the last", least=1
    )
    temperature: float = setting(0.05, "what cosines are divided by", above=0)
    directions: Literal["source", "both"] = setting(
        "both", "`source`: the translation of each word is told from others; `both`: the word of each translation too"
    )
    translations: int = setting(1, "translations of a word in a lexicon at most, the best ones", least=1)
    held_out: int = setting(500, "pairs that are judged and not trained on; a tenth of all at most", least=1)


class Inject(Method[InjectSettings]):
    """Lexicons in, an encoder out in which translations are near each other.

    It reads ``start``, the folder of the model, and ``lexicon``, ``LEXICON`` tables. Each word is encoded by itself, as
    the mean of its tokens without special ones. A pair is told from all others of its batch that share no word with it.
    """

    Settings = InjectSettings
    instances = "pairs"
    measure = "word_p_at_1"
    reads: ClassVar[Mapping[str, Need]] = {"lexicon": "needed"}

    def __init__(self, context: Context[InjectSettings]) -> None:
        from switchrank.core.seeds import derive_seed
        from switchrank.models.encode import read_template, tokenise
        from switchrank.models.packed import encoding_forward
        from switchrank.models.pretrained import freeze_body, longest_input, open_both
        from switchrank.train.word_pairs import draw_words

        settings, data = context.settings, context.data
        self._context, self._start = context, data.one("start")
        self._drops = derive_seed(context.seed, "train", "dropout")
        model, tokenizer = open_both(self._start, dropout=settings.dropout, device=context.device)
        self._layers = int(model.config.num_hidden_layers)
        self._layer = settings.layer or self._layers
        if self._layer > self._layers:
            problem = f"no layer {self._layer}, as there are {self._layers}"
            raise UserError(self._start, "layer", problem, f"write 1 to {self._layers}, or null for the last")
        self.trained = model.to(context.device).train()
        if settings.trainable == "embeddings":
            freeze_body(model)
        self._states, self._width = encoding_forward(model, layer=self._layer), int(model.config.hidden_size)
        self._pairs = draw_words(
            data.every("lexicon"),
            translations=settings.translations,
            held_out=settings.held_out,
            seed=context.seed,
        )
        self._template = read_template(tokenizer, pair=False)
        longest = min(settings.max_length, longest_input(tokenizer, model.config))
        room = longest - self._template.specials
        self._words = tokenise(tokenizer, self._pairs.words.to_list(), limit=room, what="pieces of words").cut(room)
        self.count, self.unit, self.per_step = len(self._pairs.trained_on), "pairs", settings.batch_size
        self.budget: Budget = Budget(settings.token_budget, longest, "token budget", "tokens", "lower max_length")
        self._before = self.judge()

    @classmethod
    def is_judged(cls, _: Data) -> bool:
        return True

    def losses(self, step: Step) -> Iterator[torch.Tensor]:
        import numpy as np
        import torch

        from switchrank.models.dropout import Draw
        from switchrank.train.gradient_cache import losses_of_parts

        processes, pairs = self._context.processes, self._pairs.trained_on[step.units]
        rows = processes.share(np.arange(len(pairs)), self.per_step)
        places = (2 * rows[:, None] + np.arange(2)).ravel()

        def encode(part: Part) -> torch.Tensor:
            return self._vectors(part.inputs, Draw(self._drops, step.number, part.places))

        yield from losses_of_parts(
            self._parts(pairs.ravel(), places),
            encode,
            lambda vectors: self._loss(vectors.view(len(pairs), 2, -1), pairs),
            vectors=torch.zeros(pairs.size, self._width, device=self._context.device),
            count=pairs.size,
            processes=processes,
        )

    def _parts(self, words: Numbers, places: Numbers) -> list[Part]:
        """The inputs of the words at some places, by what is encoded at once."""
        import torch

        from switchrank.models.encode import text_batches
        from switchrank.train.gradient_cache import Part

        batches = text_batches(self._template, self._words.take(words[places]), self.budget.size)
        return [
            Part(places[some], {name: torch.from_numpy(ids) for name, ids in inputs.items()})
            for some, inputs in batches
        ]

    def _vectors(self, inputs: Mapping[str, torch.Tensor], draw: Any = None) -> torch.Tensor:
        """The unit vectors of some words, float32 ``(n, width)``; a word without pieces has zeros."""
        from torch.nn import functional

        from switchrank.train.token_alignment import content_tokens

        with self._context.autocast():
            states = self._states(inputs, draw)
        content = content_tokens(inputs, self._template).to(states.device)
        return functional.normalize((states.float() * content[..., None]).sum(1), dim=-1)

    def _loss(self, vectors: torch.Tensor, pairs: Numbers) -> torch.Tensor:
        """The loss of pairs by their vectors ``(n, 2, width)``."""
        import torch

        from switchrank.train.contrast import info_nce
        from switchrank.train.word_pairs import sharing_words

        settings = self._context.settings
        excluded = torch.from_numpy(sharing_words(pairs)).to(vectors.device)
        both = settings.directions == "both"
        return info_nce(vectors[:, 0], vectors[:, 1], settings.temperature, excluded=excluded, both=both)

    def judge(self) -> dict[str, float]:
        """The loss of the pairs set aside, all against all, and how many translations are the nearest ones."""
        import numpy as np
        import torch

        from switchrank.train.pair_measures import pair_measures

        processes, pairs, device = self._context.processes, self._pairs.held_out, self._context.device
        vectors = torch.zeros(pairs.size, self._width, device=device)
        self.trained.eval()
        with torch.no_grad():
            for part in self._parts(pairs.ravel(), np.arange(processes.rank, pairs.size, processes.count)):
                vectors[part.index(device)] = self._vectors(part.inputs)
            sides = processes.add(vectors).view(len(pairs), 2, -1)
            loss = self._loss(sides, pairs).item()
        self.trained.train()
        return {"loss": loss} | pair_measures(sides[:, 0], sides[:, 1], (pairs[:, 0], pairs[:, 1]), self.measure)

    def record(self) -> dict[str, Any]:
        from switchrank.train.trained_start import earlier_start

        found = self._pairs
        counts = {"trained_on": self.count, "held_out": len(found.held_out)}
        return {
            "start": earlier_start(self._start),
            "layer": {"trained": self._layer, "of": self._layers},
            "words": counts | {"left_out": found.left_out, "unchanged": found.unchanged},
            "before": self._before,
        }

    def write(self, folder: Path, record: Mapping[str, Any]) -> None:
        from switchrank.train.trained_start import Told, kept_scores, learned, write_start

        after, data = kept_scores(record), f"{self.count:,} word pairs"
        layer = f"layer {self._layer} of {self._layers}"
        facts = {"layer": record["layer"], "before": self._before, "after": after}
        told = Told(
            "word pairs",
            f"to give a word and its translation the same vector in {layer}.",
            f"Of {len(self._pairs.held_out)} words set aside, {self._before[self.measure]:.3f} were nearest to their "
            f"translation before, {after[self.measure]:.3f} are after.",
            "measures",
        )
        write_start(self.trained, folder, self._start, learned(record["start"], "inject", data, **facts), record, told)


METHOD = Inject
