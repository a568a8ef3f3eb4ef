"""How much there is to do: training pairs, queries, candidates, tokens; counted from config and sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from switchrank.ablation.rows import Row
from switchrank.config.labels import labelled_collection
from switchrank.config.models import Config
from switchrank.config.plan import Pair, Plan
from switchrank.config.sections import MIXED
from switchrank.config.training import Optimisation, Tuning
from switchrank.run.plan.jobs import Job
from switchrank.run.plan.sizes import Sizes, Texts

CHARS_PER_TOKEN = 4.0
SPECIALS = 3
"""Special tokens of a pair."""
_LINES_PER_QUERY = 1000.0
"""Most candidates of a query in a run that is given: MS MARCO's have as many, and a run may have other queries too."""


def held_out(config: Config, row: Row) -> int:
    """Labelled queries of a row of the ablation that are not tuned on."""
    return int(row.examples * config.ablation.held_out) if config.ablation else 0


def labelled_pairs(config: Config, row: Row) -> int:
    """Training pairs that a row of the ablation is tuned on."""
    chosen = config.collections[labelled_collection(config, row.language)].instances
    return (row.examples - held_out(config, row)) * (1 + chosen.negatives) * chosen.rounds


def settings_of(config: Config, job: Job) -> Optimisation:
    """The training settings of a job."""
    tuning = config.ablation.train if config.ablation else None
    chosen = {"train": config.train, "first": config.start.first, "ablation": tuning}[job.about["settings"]]
    assert chosen is not None
    return chosen


def optimiser_steps(config: Config, job: Job) -> int:
    """Optimiser steps of a training job."""
    settings = settings_of(config, job)
    if settings.steps or not isinstance(settings, Tuning):
        return settings.steps
    return math.ceil(settings.epochs * labelled_pairs(config, job.about["row"]) / settings.batch_size)


class Work:
    """The amounts that decide what the jobs of a run cost."""

    def __init__(self, plan: Plan, sizes: Sizes) -> None:
        self.plan, self.config, self.sizes = plan, plan.config, sizes

    # training
    def language(self, collection: str) -> str:
        """The language that a collection is trained on."""
        return self.config.collections[collection].training_language(self.config.languages.source)

    def training_documents(self, collection: str) -> Texts:
        """The documents that a collection is trained on."""
        return self.sizes.collection(collection).documents[self.language(collection)]

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

    def labelled(self, job: Job) -> Texts:
        """The training pairs of a row of the ablation, and characters of a pair."""
        row = job.about["row"]
        name = labelled_collection(self.config, row.language)
        documents = self.sizes.collection(name).documents
        text = documents.get(row.language) or next(iter(documents.values()))
        return Texts(labelled_pairs(self.config, row), text.chars + self.queries(name, "train").chars)

    def judged(self, job: Job, steps: int) -> float:
        """Pairs that a training job scores for its development scores, all times together."""
        settings, corpus = settings_of(self.config, job), job.about["corpus"]
        epochs = settings.epochs if isinstance(settings, Tuning) and not settings.steps else 1
        times = -(-steps // settings.eval_every) if settings.eval_every else epochs
        if corpus:
            return self.instances(self.config.corpora[corpus].collection, "dev") * times
        row: Row = job.about["row"]
        chosen = self.config.collections[labelled_collection(self.config, row.language)].instances
        return float(held_out(self.config, row) * (1 + chosen.dev_negatives) * times)

    def tokens(self, chars: float, longest: int) -> float:
        """Tokens of a pair of texts with ``chars`` characters together."""
        return min(float(longest), chars / CHARS_PER_TOKEN + SPECIALS)

    # ranking
    def asked(self, testset: str) -> float:
        """Queries of a test set."""
        section = self.config.testsets[testset]
        rows = self.queries(section.collection, "test").rows
        return min(rows, section.queries or rows)

    def documents(self, testset: str, language: str) -> Texts:
        """The documents of a test set in a language."""
        found = self.sizes.collection(self.config.testsets[testset].collection).documents
        return found.get(language) or next(iter(found.values()))

    def candidates(self, testset: str, language: str) -> float:
        """Candidates of a query among the documents of a language, or of a mixed pool."""
        section = self.config.testsets[testset]
        if language == MIXED and section.pool == "every":
            return sum(self.candidates(testset, part) for part in self.config.mixed_languages(testset))
        rows = self.documents(testset, self.config.languages.source if language == MIXED else language).rows
        if section.candidates.every:
            return rows
        if section.candidates.bm25:
            return min(rows, section.candidates.bm25)
        lines = self.sizes.lines(str(section.candidates.run), "run").rows
        return min(rows, _LINES_PER_QUERY, lines / max(1.0, self.queries(section.collection, "test").rows))

    def run_lines(self, testset: str, pair: Pair) -> float:
        """Query-document pairs that are scored for a run."""
        return self.asked(testset) * self.candidates(testset, pair.document)

    def kept_lines(self, testset: str, pair: Pair) -> float:
        """Lines of a run file."""
        lines, depth = self.run_lines(testset, pair), self.config.rank.depth
        return min(lines, self.asked(testset) * depth) if depth else lines

    def scored(self, testset: str, pairs: Sequence[Pair]) -> list[tuple[float, float]]:
        """For each run of a ranking job the pairs it scores and the tokens of a pair."""
        section = self.config.testsets[testset]
        query = self.queries(section.collection, "test").chars
        source, longest = self.config.languages.source, self.config.train.max_length
        found = []
        for pair in pairs:
            text = self.documents(testset, source if pair.document == MIXED else pair.document)
            found.append((self.run_lines(testset, pair), self.tokens(query + text.chars, longest)))
        return found
