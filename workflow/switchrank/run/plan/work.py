"""How much there is to do: training pairs, queries, candidates, tokens; counted from config and sizes."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

from switchrank.ablation.rows import Row
from switchrank.config.models import Config
from switchrank.config.plan import Plan
from switchrank.config.plan_data import Pair
from switchrank.config.sections import MIXED
from switchrank.config.systems import Optimisation, Tuning
from switchrank.run.plan.jobs import Job
from switchrank.run.plan.sizes import Sizes, Texts

CHARS_PER_TOKEN = 4.0
SPECIALS = 3
"""Special tokens of a pair."""
_LINES_PER_QUERY = 1000.0
"""Most candidates of a query in a given run, which may hold further queries; MS MARCO's runs have as many."""


@dataclass(frozen=True)
class Training:
    """What a training job does: its settings, and the corpus or the row of the ablation that it trains on."""

    settings: Optimisation
    corpus: str = ""
    row: Row | None = None

    @property
    def epochs(self) -> float:
        """Passes over the data, if they set the length of training; 0 if steps do."""
        return self.settings.epochs if isinstance(self.settings, Tuning) and not self.settings.steps else 0


def training_of(plan: Plan, job: Job) -> Training:
    """What a training job does, by the values of its rule's wildcards."""
    node = plan.node(job.wildcards)
    row = next((row for row in plan.ablation if row.id == job.wildcards.get("row")), None)
    return Training(node.settings, "" if row else str(node.facts["corpus"]), row)


def held_out(config: Config, row: Row) -> int:
    """Labelled queries of a row of the ablation that are not tuned on."""
    return int(row.examples * config.ablation.held_out) if config.ablation else 0


def labelled_pairs(config: Config, row: Row) -> int:
    """Training pairs that a row of the ablation is tuned on."""
    chosen = config.collections[config.labelled_collection(row.language)].instances
    return (row.examples - held_out(config, row)) * (1 + chosen.negatives) * chosen.rounds


def optimiser_steps(plan: Plan, job: Job) -> int:
    """Optimiser steps of a training job."""
    training = training_of(plan, job)
    if not training.epochs or training.row is None:
        return training.settings.steps
    return math.ceil(training.epochs * labelled_pairs(plan.config, training.row) / training.settings.batch_size)


def run_parts(files: Iterable[str]) -> list[tuple[str, str, str]]:
    """System, test set and pair of each TREC run among these files: ``runs/<system>/<testset>/<pair>/seed<k>.trec``."""
    parts = [PurePath(file).parts for file in files if file.endswith(".trec")]
    return [(found[-4], found[-3], found[-2]) for found in parts if len(found) > 4]


class Work:
    """The amounts that decide what the jobs of a run cost."""

    def __init__(self, plan: Plan, sizes: Sizes) -> None:
        self.plan, self.config, self.sizes = plan, plan.config, sizes

    # training
    def training_documents(self, collection: str) -> Texts:
        """The documents that a collection is trained on."""
        language = self.config.collections[collection].training_language(self.config.languages.source)
        return self.sizes.collection(collection).documents[language]

    def queries(self, collection: str, split: str) -> Texts:
        """The queries of a split; none where there is no such split."""
        return self.sizes.collection(collection).queries.get(split, Texts(0, 1))

    def instances(self, collection: str, split: str) -> float:
        """Training or development pairs that a collection gives."""
        triples, chosen = self.sizes.collection(collection).triples, self.config.collections[collection].instances
        asked = self.queries(collection, split).rows
        if split == "dev":
            return asked * (1 + chosen.dev_negatives)
        given = triples or asked * (1 + chosen.negatives) * chosen.rounds
        return min(given, chosen.limit or given)

    def corpus(self, corpus: str) -> Texts:
        """Training pairs of a corpus, and characters of a pair."""
        collection = self.config.corpora[corpus].collection
        chars = self.training_documents(collection).chars + self.queries(collection, "train").chars
        return Texts(self.instances(collection, "train"), chars)

    def pairs(self, training: Training) -> Texts:
        """The training pairs of a job, and characters of a pair."""
        if training.row is None:
            return self.corpus(training.corpus)
        name = self.config.labelled_collection(training.row.language)
        documents = self.sizes.collection(name).documents
        text = documents.get(training.row.language) or next(iter(documents.values()))
        return Texts(labelled_pairs(self.config, training.row), text.chars + self.queries(name, "train").chars)

    def judged(self, training: Training, steps: int) -> float:
        """Pairs that a training job scores on development data, all times together."""
        settings, row = training.settings, training.row
        times = -(-steps // settings.eval_every) if settings.eval_every else training.epochs or 1
        if row is None:
            return self.instances(self.config.corpora[training.corpus].collection, "dev") * times
        chosen = self.config.collections[self.config.labelled_collection(row.language)].instances
        return float(held_out(self.config, row) * (1 + chosen.dev_negatives) * times)

    def tokens(self, chars: float, longest: int) -> float:
        """Tokens of a pair of texts with ``chars`` characters together."""
        return min(float(longest), chars / CHARS_PER_TOKEN + SPECIALS)

    # ranking
    def ranked(self, files: Iterable[str]) -> list[tuple[str, Pair]]:
        """Test set and pair of each run among these files."""
        return [(testset, self._pairs[testset, pair]) for _, testset, pair in run_parts(files)]

    @cached_property
    def _pairs(self) -> dict[tuple[str, str], Pair]:
        return {(name, pair.id): pair for name, pairs in self.plan.pairs.items() for pair in pairs}

    def test_queries(self, testset: str) -> float:
        """Queries of a test set."""
        section = self.config.testsets[testset]
        rows = self.queries(section.collection, "test").rows
        return min(rows, section.queries or rows)

    def documents(self, testset: str, language: str) -> Texts:
        """The documents of a test set in a language; of a mixed pool, those of the source language."""
        found = self.sizes.collection(self.config.testsets[testset].collection).documents
        wanted = self.config.languages.source if language == MIXED else language
        return found.get(wanted) or next(iter(found.values()))

    def candidates(self, testset: str, language: str) -> float:
        """Candidates of a query among the documents of a language, or of a mixed pool."""
        section = self.config.testsets[testset]
        if language == MIXED and section.pool == "every":
            return sum(self.candidates(testset, part) for part in self.config.mixed_languages(testset))
        rows = self.documents(testset, language).rows
        if section.candidates.every:
            return rows
        if section.candidates.bm25:
            return min(rows, section.candidates.bm25)
        lines = self.sizes.lines(str(section.candidates.run), "run").rows
        return min(rows, _LINES_PER_QUERY, lines / max(1.0, self.queries(section.collection, "test").rows))

    def run_lines(self, testset: str, pair: Pair) -> float:
        """Query-document pairs that are scored for a run."""
        return self.test_queries(testset) * self.candidates(testset, pair.document)

    def kept_lines(self, testset: str, pair: Pair) -> float:
        """Lines of a run file."""
        lines, depth = self.run_lines(testset, pair), self.config.rank.depth
        return min(lines, self.test_queries(testset) * depth) if depth else lines

    def pair_tokens(self, testset: str, pair: Pair) -> float:
        """Tokens of a query and a document of a test pair together."""
        query = self.queries(self.config.testsets[testset].collection, "test").chars
        return self.tokens(query + self.documents(testset, pair.document).chars, self.config.train.max_length)
