"""What a run is made of, as the plan names it: starts, models that are trained, rankers, points of sweeps, runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from switchrank.config.plan_data import Pair
from switchrank.config.systems import CROSS, Architecture, Extension, FirstWeights, Training
from switchrank.models.folder import MODEL_FILES, STARTING_FILES
from switchrank.search.choices import FusionMethod


@dataclass(frozen=True)
class StartNode:
    """A model that others start from: a step of the run's own start, or one that has a name.

    Attributes:
        key: its place in the config, such as ``start.first`` or ``starts.e5``.
        folder: where it lies; ``{seed}`` stands for the seed of the run where each seed has its own.
        weights: how its first weights are made, where it is made from no other start.
        source: the start it is made from.
        lexicon: what embeddings are transplanted through.
        extension: what pieces it has more than its source.
        layers: those that it keeps of its source, repaired by a training on the run's texts.
        corpus: what it is trained on as a ranker.
        settings, seed: those of its training, if it is trained (None: the seeds of the run).
    """

    key: str
    folder: str
    weights: FirstWeights | None = None
    source: Self | None = None
    lexicon: str | None = None
    extension: Extension | None = None
    layers: Sequence[int] = ()
    corpus: str | None = None
    settings: Training | None = None
    seed: int | None = None

    @property
    def is_seeded(self) -> bool:
        return "{seed}" in self.folder

    def folder_of(self, seed: int | str) -> str:
        return self.folder.format(seed=seed)

    def files_of(self, seed: int | str) -> list[str]:
        """Its files that are read for a seed of the run; the record of a training is not."""
        names = MODEL_FILES if self.settings else STARTING_FILES
        return [f"{self.folder_of(seed)}/{name}" for name in names]

    def steps(self) -> Iterator[Self]:
        """This start, the one it is made from, and so on."""
        yield self
        if self.source:
            yield from self.source.steps()


@dataclass(frozen=True)
class Node:
    """A model that a job trains.

    Attributes:
        start: the files of the model that it starts from.
        corpus: the training table, or the record of a corpus that is switched on the fly; several tables for one that
            encodes; None: the run's texts.
        dev: the table it is judged by, if any.
        on_the_fly: that corpus and its training pair.
        facts: what ``train.json`` says about it.
        method: how it learns, one of :mod:`switchrank.train.methods`.
        more: settings beside those of its section.
    """

    folder: str
    start: list[str]
    corpus: str | list[str] | None
    dev: str | None
    on_the_fly: tuple[str, str] | None
    settings: Training
    seed: int
    facts: dict[str, Any] = field(default_factory=dict)
    method: str = "cross-encoder"
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ranker:
    """A model at work: ``system`` scores with the model that ``trained`` has for ``train_pair``, on texts translated
    through the lexicon ``translate`` where there is one. A finished model has no training pair.

    A dual encoder with a ``weight`` leaves documents as they are, and mixes vectors of queries with those of their
    translations; ``shift`` is the parallel text by which its vectors are shifted.
    """

    system: str
    trained: str
    train_pair: str | None
    translate: str | None = None
    architecture: Architecture = CROSS
    weight: float | None = None
    shift: str | None = None

    @property
    def name(self) -> str:
        """The system and, where it has several models, the pair of this one."""
        return f"{self.system}-{self.train_pair}" if self.train_pair else self.system


@dataclass(frozen=True)
class Fusion:
    """A system whose run is made of those of ``parts``, systems and reference rows."""

    system: str
    parts: tuple[str, ...]
    method: FusionMethod


@dataclass(frozen=True)
class SweepPoint:
    """One value of a sweep, as text, and the system that stands for it."""

    sweep: str
    value: str
    system: str


@dataclass(frozen=True)
class Run:
    """One TREC run: which system scores which pair of which test set."""

    system: str
    testset: str
    pair: Pair
    seed: int
