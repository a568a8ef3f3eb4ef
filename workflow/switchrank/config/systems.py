"""The keys of models: how they are trained, what systems start from, are varied by, and tuned on labelled queries."""

import dataclasses
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, create_model, model_validator

from switchrank.config.sections import (
    Count,
    Distinct,
    Language,
    Name,
    OpenShare,
    Section,
    Seed,
    Share,
    Whole,
    listed,
    suffix_of,
)
from switchrank.core.limits import LARGEST
from switchrank.models.catalogue import entry_of
from switchrank.search.choices import FusionMethod
from switchrank.train.methods.contrastive import ContrastiveSettings
from switchrank.train.methods.cross_encoder import CrossEncoderSettings
from switchrank.train.methods.distil import RepairSettings
from switchrank.train.methods.late_interaction import LateInteractionSettings
from switchrank.train.settings import BY_EPOCHS, Settings, default_of


def setting(name: str, default: Any = None, kind: type[Settings] = CrossEncoderSettings) -> Any:
    """A setting of training as a field of a section, with its meaning, bounds and, if no other is given, default."""
    (field,) = (field for field in dataclasses.fields(kind) if field.name == name)
    hint, about = typing.get_type_hints(kind)[name], field.metadata
    kinds = {hint, *typing.get_args(hint)}
    bounds = about["bounds"] if kinds & {int, float} and typing.get_origin(hint) is not Mapping else {}
    bounds = ({"le": LARGEST} if int in kinds else {}) | bounds
    if name == "steps":  # 0 would stand for epochs
        bounds["ge"] = 1
    return Field(default_of(field) if default is None else default, description=about["meaning"], **bounds)


if TYPE_CHECKING:  # mypy knows the fields by their class, pydantic by create_model

    class Optimisation(Section, CrossEncoderSettings):
        pass

    class Dual(Section, ContrastiveSettings):
        pass

    class Late(Section, LateInteractionSettings):
        pass

    class Repair(Section, RepairSettings):
        pass

else:

    def _section(name, kind, *leave_out):
        hints, left_out = typing.get_type_hints(kind), ("epochs", "log_every", "threads", *leave_out)
        kept = {key: hints[key] for key in (field.name for field in dataclasses.fields(kind)) if key not in left_out}
        kept = {key: _Prompt if hint == str | None else hint for key, hint in kept.items()}
        return create_model(
            name, __base__=Section, **{key: (hint, setting(key, kind=kind)) for key, hint in kept.items()}
        )

    _Prompt = Annotated[str, StringConstraints(min_length=0)] | None  # none is a prompt too
    Optimisation = _section("Optimisation", CrossEncoderSettings)
    Dual = _section("Dual", ContrastiveSettings)
    Late = _section("Late", LateInteractionSettings)
    Repair = _section("Repair", RepairSettings, "layers")

Training = Optimisation | Dual | Late | Repair
Architecture = Literal["cross-encoder", "dual-encoder", "late-interaction"]
CROSS: Architecture = "cross-encoder"
DUAL: Architecture = "dual-encoder"
LATE: Architecture = "late-interaction"
TRAININGS: dict[Architecture, type[Optimisation | Dual | Late]] = {CROSS: Optimisation, DUAL: Dual, LATE: Late}
"""The keys of the training of systems, by their architecture."""
METHODS: dict[Architecture, str] = {CROSS: "cross-encoder", DUAL: "contrastive", LATE: "late-interaction"}
"""The way in which a system is trained."""
RUN_KEYS: dict[str, str] = {CROSS: "train", DUAL: "dual", LATE: "late"}
"""The section of the run that says how the systems of an architecture are trained."""


def settings_of(section: Training) -> type[Settings]:
    """The settings that a section of training is about."""
    if isinstance(section, Dual | Late):
        return ContrastiveSettings if isinstance(section, Dual) else LateInteractionSettings
    return RepairSettings if isinstance(section, Repair) else CrossEncoderSettings


class Train(Optimisation):
    threads: int = setting("threads")
    device: Literal["cpu", "cuda"] = Field("cpu", description="`cuda` demands a GPU for each process (resource gpu)")
    processes: Count = Field(
        1,
        description="processes that share each optimiser step, on a GPU each or with their share of `threads`; a run "
        "goes on with any number of them, and a change makes nothing train again",
    )


class Warmup(Optimisation):
    corpus: Name = Field(description="corpus that the starting model is trained on first")


class Tuning(Optimisation):
    lr: float = setting("lr", 1.0e-5)
    warmup: float = setting("warmup", BY_EPOCHS["warmup"])
    eval_every: int = setting("eval_every", BY_EPOCHS["eval_every"])
    epochs: Count = Field(
        5, description="passes over the training pairs, where each label occurs `rounds` times, however many there are"
    )
    steps: Whole = Field(0, description="optimiser steps in place of epochs: few labels are then seen more often")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.steps and "epochs" in self.model_fields_set:
            raise ValueError("steps beside epochs: give one of the two")
        return self

    def plain(self, *leave_out: str) -> dict[str, Any]:
        """The section as plain JSON values; epochs count where no steps are given."""
        return super().plain(*leave_out) | ({"epochs": 0} if self.steps else {})


OWN_START = "start"
"""The name of the run's own start, which systems start from unless they say otherwise."""


class Tokenizer(Section):
    # Five are special, and characters take half at most: from 11 on something is left for words.
    size: Annotated[int, Field(ge=11, le=LARGEST)] = Field(16_000, description="subword vocabulary")
    texts: dict[Language, Annotated[list[str], Field(min_length=1)]] = Field(
        {}, description="monolingual text per language; default: the text its vectors were trained on, else their words"
    )


class Changes(Optimisation, Dual, Late):
    """Keys of the run's ``train``, ``dual`` or ``late`` that differ for one model; what is not written is the run's."""

    def others(self, architecture: Architecture) -> dict[str, Architecture]:
        """The keys written here that are no settings of an architecture, each with one whose they are."""
        strange = sorted(self.model_fields_set - TRAININGS[architecture].model_fields.keys())
        return {key: next(one for one, kind in TRAININGS.items() if key in kind.model_fields) for key in strange}


class FirstWeights(Section):
    """A model before any training of the run."""

    model: str | None = Field(
        None, description="a pretrained model: one of `switchrank models`, a folder, or a hub name"
    )
    preset: Literal["tiny", "small"] | None = Field(None, description="a small encoder from scratch")
    init: Distinct[Literal["mimetic", "vectors"]] = Field(
        ["mimetic"], description="mimetic: arXiv 2305.09828; vectors: word embeddings from the aligned vectors"
    )
    seed: Seed = Field(1, description="seed of the initial weights")
    vocabulary: Literal["whole", "run"] = Field(
        "whole", description="with `model`: `run` keeps the pieces that the run's texts and lexicons are cut into"
    )

    def _check_vocabulary(self) -> None:
        if self.vocabulary == "run" and self.model is None:
            raise ValueError("vocabulary: run without model: only a pretrained model has pieces to spare")


class Extension(Section):
    languages: Distinct[Language] = Field(
        [], description="languages that get pieces; default: all of the run but the source language"
    )
    rows: Distinct[Literal["copy", "lexicon", "vectors", "parts"]] = Field(
        ["copy", "lexicon", "parts"],
        min_length=1,
        description="where embeddings of new pieces come from, in the order in which they are tried: the piece in "
        "another form or case, translations, aligned vectors (arXiv 2112.06598), the pieces it was cut into",
    )
    lexicon: Name | None = Field(None, description="with `lexicon` among the rows: the lexicon")
    pieces: Count = Field(30_000, description="new pieces at most, shared evenly by the languages")

    @model_validator(mode="after")
    def _used(self) -> Self:
        if ("lexicon" in self.rows) != (self.lexicon is not None):
            raise ValueError("lexicon and rows: name a lexicon where lexicon is among the rows, and only there")
        return self


_EXTEND = "pieces for languages that a pretrained model cannot write"
Layers = Annotated[list[Whole], Field(min_length=1)]


class Smaller(Section):
    """Some layers of a model, and how they learn to do without the others."""

    layers: Layers | None = Field(
        None,
        description="with `model` or `from`: the layers that are kept, in order and counted from 0, such as "
        "[1, 3, 5, 7, 9, 11] of 12; always with `repair`",
    )
    repair: Repair | None = Field(
        None, description="with `layers`: how they are trained, on the run's texts, to give the token vectors of all"
    )

    def _check_layers(self) -> None:
        if self.layers and not self.repair:
            raise ValueError("layers without repair: they do much worse untrained: add repair: {steps: 500}")
        if self.repair and not self.layers:
            raise ValueError("repair without layers: name those that are kept, or leave it out")


class Start(Smaller, FirstWeights):
    extend: Extension | None = Field(None, description=f"with `model`: {_EXTEND}")
    tokenizer: Tokenizer = Field(Tokenizer(), description="subword tokenizer of all models from scratch")
    first: Warmup | None = Field(None, description="train on this before any system starts; all start from its result")
    transplant: Name | None = Field(
        None, description="lexicon: pieces of other languages start at the mean of their translations' embeddings"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.model is None) == (self.preset is None):
            raise ValueError("give either model (pretrained) or preset (from scratch)")
        if self.extend and self.model is None:
            raise ValueError("extend without model: the tokenizer of a model from scratch has pieces for all languages")
        if self.layers and self.model is None:
            raise ValueError("layers without model: a model from scratch has nothing to lose: choose a smaller preset")
        self._check_vocabulary()
        self._check_layers()
        return self


class NamedStart(Smaller, FirstWeights):
    source: Name | None = Field(
        None,
        alias="from",
        description="instead: the start it is made of, one of `starts` or `start`, the run's own",
    )
    transplant: Name | None = Field(None, description="with `from`: a lexicon, as `start.transplant`")
    extend: Extension | None = Field(None, description=f"with `from`: {_EXTEND}")
    corpus: Name | None = Field(None, description="with `from`: the corpus it is trained on, once for each seed")
    method: Literal["cross-encoder"] = Field("cross-encoder", description="with `corpus`: the way it is trained")
    train: Changes = Field(default_factory=Changes, description="with `corpus`: keys of `train` that differ here")

    @model_validator(mode="after")
    def _one(self) -> Self:
        self._check_vocabulary()
        self._check_layers()
        ways = [key for key in ("corpus", "transplant", "extend", "layers") if getattr(self, key)]
        if [self.model, self.preset, self.source].count(None) != 2:
            raise ValueError("give exactly one of model (pretrained), preset (from scratch), from (another start)")
        if self.source and len(ways) != 1:
            todo = "give one of corpus (to train on), transplant (a lexicon), extend (pieces), layers (that are kept)"
            raise ValueError(f"from alone changes nothing: {todo}")
        if ways and not self.source:
            raise ValueError(f"{ways[0]} without from: name the start that is changed")
        self._refuse({"init", "seed"} if self.source else (), "beside from", "it is about first weights: leave it out")
        self._refuse(() if self.corpus else {"train", "method"}, "without corpus", "nothing is trained: leave it out")
        return self


class Testing(Section):
    translate: Name | None = Field(
        None,
        description="lexicon of kind vectors or encoder: test texts go word by word into the source language",
    )
    weight: Share | None = Field(
        None,
        description="dual encoders, with `translate`: documents stay as they are, and the vector of a query is mixed "
        "with that of its translation, which has this share",
    )
    shift: Name | None = Field(
        None,
        description="dual encoders: a parallel text of `bitext`; the mean vector of the lines of a language is taken "
        "off the vectors of all texts in it",
    )

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.translate is None and self.shift is None:
            raise ValueError("nothing to do: give translate (a lexicon) or shift (a parallel text)")
        if self.translate and self.shift:
            raise ValueError("translate beside shift: give one of the two")
        self._refuse(() if self.translate else {"weight"}, "without translate", "name a lexicon, or leave it out")
        return self


class System(Section):
    corpus: Name | Annotated[Distinct[Name], Field(min_length=1)] | None = Field(
        None,
        description="the corpus it is trained on; for a dual encoder or late interaction there may be several",
    )
    model: str | None = Field(
        None,
        description="instead: the system whose models it uses, with `test`; or a finished model that is scored beside "
        "the others and never trained: one of `switchrank models` or, with a slash in it, a hub name or folder",
    )
    fuse: Annotated[Distinct[Name], Field(min_length=2)] | None = Field(
        None, description="instead: systems and `bm25`, whose rankings of each query become one"
    )
    method: FusionMethod = Field(
        "rrf", description="with `fuse`: how, by ranx; `rrf`: by reciprocal ranks (Cormack et al. 2009), k = 60"
    )
    test: Testing | None = Field(
        None, description="with `model`: what is done to test texts or vectors: Translate-Test, a shift"
    )
    start: Name = Field(OWN_START, description="the start it is trained from: of `starts`, or `start`, the run's own")
    train: Changes = Field(
        default_factory=Changes,
        description="keys of `train`, or by architecture of `dual` or `late`, that are otherwise for this system",
    )
    architecture: Architecture = Field(
        CROSS,
        description="`cross-encoder`: reads a query and a passage together; `dual-encoder`: each becomes a vector, so "
        "that it can search a whole collection; `late-interaction`: each of their tokens does, which are compared by "
        "MaxSim",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if [self.corpus, self.model, self.fuse].count(None) != 2:
            raise ValueError(
                "give exactly one of corpus (to train on), model (another system's, or a finished one), fuse (rankings)"
            )
        if self.test is not None and self.model is None:
            raise ValueError("model and test go together: a system that only tests another's models says how")
        self._refuse({"start", "train"} if self.model else (), "beside model", "nothing is trained: leave it out")
        kept = {"start", "train", "architecture"}
        self._refuse(kept if self.fuse else {"method"}, "beside fuse" if self.fuse else "without fuse", "leave it out")
        return self

    @property
    def corpora(self) -> list[str]:
        """The corpora it is trained on."""
        return listed(self.corpus)

    @property
    def is_finished(self) -> bool:
        return self.model is not None and ("/" in self.model or entry_of(self.model) is not None)

    @property
    def uses(self) -> str | None:
        """The system whose models it uses, where it has none of its own."""
        return None if self.is_finished else self.model


class Sweep(Section):
    system: Name = Field(description="the system that is varied")
    key: str = Field(
        description="a key of the system, such as `start`, `corpus` or `train.lr`; of its corpus, such as `p` or "
        "`lexicon`; of its lexicon, such as `lexicon.criterion`; or `lexicon.degrade`: share of source words that get "
        "another word's translations"
    )
    values: list[bool | int | float | str] = Field(description="one system is made for each", min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        again = [value for place, value in enumerate(self.values) if value in self.values[:place]]
        if again:
            raise ValueError(f"value {again[0]} twice: leave one out")
        named = [suffix_of("", value) for value in self.values]
        if len(set(named)) < len(named):
            raise ValueError("two values that names do not tell apart: leave one out")
        return self


class Ablation(Section):
    rows: str = Field(description="TSV: id, start (`none` or a system), language, examples (labelled queries), seed")
    collection: Name | dict[Language, Name] = Field(
        description="where labelled queries come from: a collection with that language among its train_languages, or a "
        "collection in that language alone; one for all or one per language. One that systems are trained on sets "
        "`labels` aside"
    )
    testset: Name = Field(description="the test set; its pairs of the language and the source language are tested")
    held_out: OpenShare = Field(
        0.0,
        description="share of a row's labelled queries that are not tuned on: development scores are over their lists, "
        "and with `keep: best` they choose the epoch",
    )
    train: Tuning = Field(Tuning(), description="how a starting model is tuned")
    reference: Name = Field("ml-cs", description="without any labelled query, what the equivalence measures against")
    compared: Distinct[Name] = Field(["zero-shot"], description="starts whose worth is told in labelled queries")

    @model_validator(mode="after")
    def _judged(self) -> Self:
        if self.train.keep == "best" and not self.held_out:
            raise ValueError("keep: best without held-out labels: set held_out, such as 0.25, or write keep: last")
        return self
