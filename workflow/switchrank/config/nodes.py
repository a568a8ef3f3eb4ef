"""Models as nodes: each is made from another or from nothing, by a method, on data, with settings and a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from switchrank.config.models import Config
from switchrank.config.systems import OWN_START, FirstWeights, Optimisation
from switchrank.models.folder import MODEL_FILES, STARTING_FILES


@dataclass(frozen=True)
class StartNode:
    """A model that others start from: a step of the run's own start, or one that has a name.

    Attributes:
        key: its place in the config, such as ``start.first`` or ``starts.e5``.
        folder: where it lies; ``{seed}`` stands for the seed of the run where each seed has its own.
        weights: how its first weights are made, where it is made from no other start.
        source: the start it is made from.
        lexicon: what embeddings are transplanted through.
        corpus: what it is trained on, with ``settings`` and ``seed`` (None: the seeds of the run).
    """

    key: str
    folder: str
    weights: FirstWeights | None = None
    source: StartNode | None = None
    lexicon: str | None = None
    corpus: str | None = None
    settings: Optimisation | None = None
    seed: int | None = None

    @property
    def is_seeded(self) -> bool:
        return "{seed}" in self.folder

    def folder_of(self, seed: int | str) -> str:
        return self.folder.format(seed=seed)

    def files_of(self, seed: int | str) -> list[str]:
        """Its files that are read for a seed of the run; the record of a training is not."""
        names = MODEL_FILES if self.corpus else STARTING_FILES
        return [f"{self.folder_of(seed)}/{name}" for name in names]

    def steps(self) -> Iterator[StartNode]:
        """This start, the one it is made from, and so on."""
        node: StartNode | None = self
        while node is not None:
            yield node
            node = node.source


@dataclass(frozen=True)
class Node:
    """A model that a job trains.

    Attributes:
        start: the files of the model that it starts from.
        corpus: the training table, or the record of a corpus that is switched on the fly.
        dev: the table it is judged by, if any.
        on_the_fly: that corpus and its training pair.
        facts: what ``train.json`` says about it.
        method: how it learns, one of :mod:`switchrank.train.methods`.
    """

    folder: str
    start: list[str]
    corpus: str
    dev: str | None
    on_the_fly: tuple[str, str] | None
    settings: Optimisation
    seed: int
    facts: dict[str, Any] = field(default_factory=dict)
    method: str = "cross-encoder"


def start_nodes(config: Config) -> dict[str, StartNode]:
    """The starts of a config by name, the run's own among them; those that go back to an unknown one are left out."""
    found = {OWN_START: _own_start(config)}
    waiting = dict(config.starts)
    while ready := [name for name, section in waiting.items() if (section.source or OWN_START) in found]:
        for name in ready:
            section = waiting.pop(name)
            source = found.get(section.source or "")
            seeded = section.corpus is not None or (source is not None and source.is_seeded)
            found[name] = StartNode(
                key=f"starts.{name}",
                folder=f"results/{config.run}/starts/{name}{'/seed{seed}' if seeded else ''}",
                weights=None if section.source else section,
                source=source,
                lexicon=section.transplant,
                corpus=section.corpus,
                settings=config.training(section.train) if section.corpus else None,
            )
    return found


def _own_start(config: Config) -> StartNode:
    start, folder = config.start, f"results/{config.run}/start"
    node = StartNode("start", f"{folder}/initial", weights=start)
    if first := start.first:
        node = StartNode(
            "start.first", f"{folder}/first", source=node, corpus=first.corpus, settings=first, seed=start.seed
        )
    if start.transplant:
        node = StartNode("start.transplant", f"{folder}/transplanted", source=node, lexicon=start.transplant)
    return node
