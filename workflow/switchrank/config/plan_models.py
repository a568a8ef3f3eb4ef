"""The plan of models: starts, what systems are trained from and on, who ranks with what."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from switchrank.config.nodes import Node, StartNode, start_nodes
from switchrank.config.pairs import Pair
from switchrank.config.plan_corpora import CorporaPlan
from switchrank.config.systems import OWN_START


@dataclass(frozen=True)
class Ranker:
    """A model at work: ``system`` scores with the model that ``trained`` has for ``train_pair``, on texts translated
    through the lexicon ``translate`` where there is one. A finished model has no training pair."""

    system: str
    trained: str
    train_pair: str | None
    translate: str | None = None

    @property
    def name(self) -> str:
        """The system and, where it has several models, the pair of this one."""
        return f"{self.system}-{self.train_pair}" if self.train_pair else self.system


class ModelsPlan(CorporaPlan):
    """Names of models and the facts of those that are trained."""

    @cached_property
    def starts(self) -> dict[str, StartNode]:
        """Every start by name, the run's own as ``start``."""
        return start_nodes(self.config)

    @property
    def own_start(self) -> list[StartNode]:
        """The steps of the run's own start, in order; systems start from the last unless they say otherwise."""
        return [*self.starts[OWN_START].steps()][::-1]

    @cached_property
    def named_starts(self) -> dict[str, tuple[StartNode, int]]:
        """The further starts by folder below ``starts/``, such as ``e5`` or ``aligned/seed1``, each with its seed."""
        below = f"{self.folder}/starts"
        return {
            Path(node.folder_of(seed)).relative_to(below).as_posix(): (node, seed)
            for name, node in self.starts.items()
            if name != OWN_START
            for seed in (self.config.seeds if node.is_seeded else self.config.seeds[:1])
        }

    @cached_property
    def models(self) -> list[tuple[str, str]]:
        """Every (system, training pair) that a model is trained for."""
        return [
            (name, pair)
            for name, system in self.config.systems.items()
            if system.corpus
            for pair in self.train_pairs(system.corpus)
        ]

    @cached_property
    def finished(self) -> dict[str, str]:
        """The finished rankers that are scored beside the run's own: systems, each with its hub name or folder."""
        return {name: str(system.model) for name, system in self.config.systems.items() if system.is_finished}

    @cached_property
    def rankers(self) -> list[Ranker]:
        """Every system with each of its models, in the order of the config."""
        found: list[Ranker] = []
        for name, system in self.config.systems.items():
            trained = system.uses or name
            translate = system.test.translate if system.test else None
            if trained in self.finished:
                found.append(Ranker(name, trained, None, translate))
            found += [Ranker(name, trained, pair, translate) for model, pair in self.models if model == trained]
        return found

    def model_folder(self, system: str, train_pair: str | None, seed: int | str) -> str:
        """The folder of a model; a finished one has no training pair and no seed."""
        folder = f"{self.folder}/models/{system}"
        return f"{folder}/{train_pair}/seed{seed}" if train_pair else folder

    def seeds_of(self, ranker: Ranker) -> list[int]:
        """The seeds that a system has runs for; a finished model has one run, under the first."""
        return self.config.seeds if ranker.train_pair else self.config.seeds[:1]

    def ranked_pairs(self, ranker: Ranker, testset: str) -> list[Pair]:
        """Pairs that a model scores: its own, or all when it serves all, or those whose sides can be translated."""
        corpus = self.config.systems[ranker.trained].corpus
        pairs = self.pairs[testset]
        if corpus and self.config.corpora[corpus].bilingual:
            return [pair for pair in pairs if pair.id == ranker.train_pair]
        if ranker.translate is None:
            return pairs
        known = {self.config.languages.source, *self.lexicon_languages(ranker.translate)}
        return [pair for pair in pairs if {pair.query, pair.document} <= known]

    def corpus_of(self, system: str) -> str | None:
        """What the models that a system ranks with are trained on; None for a finished one."""
        section = self.config.systems[system]
        return self.config.systems[section.uses].corpus if section.uses else section.corpus

    def system_node(self, system: str, train_pair: str, seed: int) -> Node:
        """The model of a system for a training pair and a seed."""
        section = self.config.systems[system]
        corpus = str(section.corpus)
        return Node(
            folder=self.model_folder(system, train_pair, seed),
            start=self.starts[section.start].files_of(seed),
            corpus=self.training_file(corpus, train_pair),
            dev=self.dev_file(corpus, train_pair),
            on_the_fly=self.on_the_fly(corpus, train_pair),
            settings=self.config.training(section.train),
            seed=seed,
            facts={"system": system, "train_pair": train_pair, "corpus": corpus},
        )

    def start_node(self, start: StartNode, name: str, seed: int) -> Node:
        """A start that is trained, under a name, for a seed of the run."""
        assert start.corpus is not None
        assert start.settings is not None
        assert start.source is not None
        train_pair = self.train_pairs(start.corpus)[0]
        return Node(
            folder=start.folder_of(seed),
            start=start.source.files_of(seed),
            corpus=self.training_file(start.corpus, train_pair),
            dev=self.dev_file(start.corpus, train_pair),
            on_the_fly=self.on_the_fly(start.corpus, train_pair),
            settings=start.settings,
            seed=seed if start.seed is None else start.seed,
            facts={"system": name, "corpus": start.corpus},
        )
