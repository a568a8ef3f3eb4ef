"""How much there is to do: training pairs, queries, candidates, tokens; counted from config and sizes."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

from switchrank.config.lexicons import InducedLexicon
from switchrank.config.plan import Plan
from switchrank.config.plan_data import Pair
from switchrank.config.sections import MIXED, listed
from switchrank.config.systems import Dual, Late, Optimisation, Repair
from switchrank.run.plan.jobs import Job
from switchrank.run.plan.rates import COMPARED, SINGLE, VISITED
from switchrank.run.plan.sizes import Sizes, Texts
from switchrank.search.choices import DEPTH

CHARS_PER_TOKEN = 4.0
SPECIALS = 3
"""Special tokens of a pair."""
_LINES_PER_QUERY = 1000.0
"""Most candidates of a query in a given run, which may hold further queries; MS MARCO's runs have as many."""


@dataclass(frozen=True)
class Training:
    """What a training job does.

    Attributes:
        corpus: what it trains on, the first of several; empty for a row of the ablation.
        collection, language: where its pairs come from, and the language of their documents.
        labelled, dev: training and development pairs of a row of the ablation.
        epochs: passes over the data, if they set the length of training; 0 if steps do.
    """

    settings: Optimisation | Dual | Late
    corpus: str
    collection: str
    language: str
    labelled: int = 0
    dev: int = 0
    epochs: int = 0

    @property
    def steps(self) -> int:
        """Optimiser steps."""
        return self.settings.steps or math.ceil(self.epochs * self.labelled / self.settings.batch_size)


def training_of(plan: Plan, job: Job) -> Training | None:
    """What a training job does, by the values of its rule's wildcards; None where it has no pairs."""
    node, config = plan.node(job.wildcards), plan.config
    if node.corpus is None or isinstance(node.settings, Repair):
        return None
    if "row" not in job.wildcards:
        corpus = listed(node.facts["corpus"])[0]
        collection = config.corpora[corpus].collection
        language = config.collections[collection].training_language(config.languages.source)
        return Training(node.settings, corpus, collection, language)
    row = next(row for row in plan.ablation if row.id == job.wildcards["row"])
    collection, tuning = config.labelled_collection(row.language), plan.tuning
    chosen, held_out = config.collections[collection].instances, int(row.examples * tuning.held_out)
    labelled = (row.examples - held_out) * (1 + chosen.negatives) * chosen.rounds
    dev = held_out * (1 + chosen.dev_negatives)
    epochs = 0 if tuning.train.steps else tuning.train.epochs
    return Training(tuning.train, "", collection, row.language, labelled, dev, epochs)


def steps_of(plan: Plan, job: Job) -> int:
    """The optimiser steps of a training job."""
    training = training_of(plan, job)
    return training.steps if training else plan.node(job.wildcards).settings.steps


def run_parts(files: Iterable[str]) -> list[tuple[str, str, str]]:
    """System, test set and pair of each TREC run among these files: ``runs/<system>/<testset>/<pair>/seed<k>.trec``."""
    parts = [PurePath(file).parts for file in files if file.endswith(".trec")]
    return [(found[-4], found[-3], found[-2]) for found in parts if len(found) > 4]


def compared(section: InducedLexicon, queries: float, base: float, cores: int) -> float:
    """Pairs of vectors that one search compares; those compared one by one count for more, by the time they take."""
    if section.search == "ivf":
        cells = section.cells or (8 * base) ** 0.5
        found = queries * min(section.probes * VISITED * base / cells, base)
        return (queries + base) * cells + SINGLE * found
    if section.search == "hnsw":
        candidates = cores * base * section.ef_construction + queries * section.ef_search  # one core builds the graph
        return COMPARED * section.links * SINGLE * candidates
    return queries * base


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
        if training.corpus:
            return self.corpus(training.corpus)
        text = self.sizes.documents(training.collection, training.language)
        return Texts(training.labelled, text.chars + self.queries(training.collection, "train").chars)

    def judged(self, training: Training) -> float:
        """Pairs that a training job scores on development data, all times together."""
        every = training.settings.eval_every
        times = -(-training.steps // every) if every else training.epochs or 1
        return times * (self.instances(training.collection, "dev") if training.corpus else training.dev)

    def row_tokens(self, training: Training) -> float:
        """Tokens of a pair that a training step reads, negatives and copies included where texts are encoded apart."""
        settings, pair = training.settings, self.tokens(self.pairs(training).chars, training.settings.max_length)
        if not isinstance(settings, Dual | Late):
            return pair
        passage = self.tokens(self.training_documents(training.collection).chars, settings.max_length)
        return (2 if settings.align else 1) * pair + settings.negatives * passage

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
        wanted = self.config.languages.source if language == MIXED else language
        return self.sizes.documents(self.config.testsets[testset].collection, wanted)

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
        if section.candidates.system:
            return min(rows, section.candidates.depth)
        lines = self.sizes.lines(str(section.candidates.run), "run").rows
        return min(rows, _LINES_PER_QUERY, lines / max(1.0, self.queries(section.collection, "test").rows))

    def run_lines(self, testset: str, pair: Pair) -> float:
        """Query-document pairs that are scored for a run."""
        return self.test_queries(testset) * self.candidates(testset, pair.document)

    def kept_lines(self, testset: str, pair: Pair) -> float:
        """Lines of a run file."""
        lines, depth = self.run_lines(testset, pair), self.plan.depth(testset)
        return min(lines, self.test_queries(testset) * depth) if depth else lines

    def searched(self, files: Iterable[str]) -> list[tuple[str, Pair]]:
        """Test set and pair of each run that an encoder makes, for tables or for candidates alone."""
        alone = [PurePath(file) for file in files if PurePath(file).name.startswith("found-")]
        found = [(path.parent.name, self._pairs[path.parent.name, path.stem.removeprefix("found-")]) for path in alone]
        return found if alone else self.ranked(files)

    def encoded(self, words: Mapping[str, str]) -> Texts:
        """What an encoder turns into vectors: the documents or queries of a language, or those of a mixed pool."""
        collection = words.get("collection") or self.config.testsets[words["testset"]].collection
        if words["table"] != "documents":
            return self.queries(collection, "test")
        languages = [words["lang"]] if "lang" in words else self.config.mixed_languages(words["testset"])
        every = [self.sizes.documents(collection, language) for language in languages]
        return Texts(sum(one.rows for one in every), max(one.chars for one in every))

    def retrieved_lines(self, testset: str, pair: Pair) -> float:
        """Lines of the run file of an encoder."""
        return min(self.kept_lines(testset, pair), self.test_queries(testset) * DEPTH)

    def pair_tokens(self, testset: str, pair: Pair) -> float:
        """Tokens of a query and a document of a test pair together."""
        query = self.queries(self.config.testsets[testset].collection, "test").chars
        return self.tokens(query + self.documents(testset, pair.document).chars, self.config.train.max_length)
