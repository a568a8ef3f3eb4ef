"""The plan of what is tested: texts, candidates and judgements of test sets, runs, values of sweeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from switchrank.config.names import suffix_of, text_of
from switchrank.config.pairs import Pair
from switchrank.config.plan_models import ModelsPlan
from switchrank.config.sections import MIXED


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


class RunsPlan(ModelsPlan):
    """Names of test sets and runs."""

    def texts(self, testset: str, kind: str, language: str, translate: str | None = None) -> str:
        """The table of the ``documents`` or ``queries`` of a test set in one language, a mixed one, or translated."""
        collection = self.config.testsets[testset].collection
        name = "documents" if kind == "documents" else "queries-test"
        if language == MIXED:
            return f"{self.folder}/pools/{testset}/{kind}.parquet"
        if translate and language != self.config.languages.source:
            return f"{self.folder}/translated/{translate}/{collection}/{name}-{language}.parquet"
        return f"{self.folder}/sources/{collection}/{name}-{language}.parquet"

    def candidates(self, testset: str, document: str, query: str = "") -> str:
        """The candidates of a document language, or of a pair where runs are given pair by pair.

        A drawn pool keeps the ids, and so the candidates of the source language.
        """
        section = self.config.testsets[testset]
        drawn = document == MIXED and section.pool == "drawn"
        name = self.config.languages.source if drawn else document
        name = f"{query}-{name}" if section.candidates.by_pair else name
        return f"{self.folder}/testsets/{testset}/candidates-{name}.parquet"

    def candidate_files(self, testset: str, document: str) -> list[str]:
        """All candidates among documents of a language, whoever asks; none where every document is one."""
        section = self.config.testsets[testset]
        if section.candidates.every:
            return []
        asked = [pair.query for pair in self.pairs[testset] if pair.document == document]
        return list(dict.fromkeys(self.candidates(testset, document, query) for query in asked or [""]))

    def _templated_inputs(self) -> list[str]:
        return super()._templated_inputs() + [
            run for testset in self.config.testsets for run in self.given_runs(testset)
        ]

    def given_runs(self, testset: str) -> list[str]:
        """The runs that the candidates of a test set are read from, in the order of its pairs."""
        section = self.config.testsets[testset].candidates
        if section.run is None:
            return []
        pairs = self.pairs[testset] if section.by_pair else []
        sides = [(pair.query, pair.document) for pair in pairs] or [
            ("", lang) for lang in self.judged_languages(testset)
        ]
        return list(dict.fromkeys(section.run_file(*side) for side in sides))

    def first_stage(self, testset: str, language: str) -> tuple[str, str]:
        """Languages of the queries and documents that the candidates among documents of ``language`` come from.

        Candidates by run or all look at no text: any queries of the collection will do.
        """
        section = self.config.testsets[testset]
        collection = self.config.collections[section.collection]
        asked, source = section.candidates.query_language, self.config.languages.source
        sides = {"source": (source, source), "document": (language, language)}.get(asked, (asked, language))
        if sides[0] in collection.asked_in and sides[1] in collection.languages:
            return sides
        return collection.asked_in[0], language

    def search(self, testset: str, language: str) -> str:
        """What found the candidates among documents of ``language``: ``run``, ``all``, or the languages of the queries
        and documents that BM25 looked at, such as ``en-en``; several for a pool of every document in every language."""
        section = self.config.testsets[testset]
        if section.candidates.bm25 is None:
            return "run" if section.candidates.run else "all"
        drawn = section.pool == "drawn"
        mixed = [self.config.languages.source] if drawn else self.config.mixed_languages(testset)
        sides = [self.first_stage(testset, lang) for lang in (mixed if language == MIXED else [language])]
        return " ".join(dict.fromkeys("-".join(pair) for pair in sides))

    def lexicon_pairs(self, testset: str) -> dict[str, list[Pair]]:
        """By lexicon of Translate-Test, the pairs of a test set whose texts it translates into the source language."""
        source, found = self.config.languages.source, {}
        for ranker in self.rankers:
            if ranker.translate:
                pairs = self.ranked_pairs(ranker, testset)
                found[ranker.translate] = [pair for pair in pairs if {pair.query, pair.document} != {source}]
        return found

    def searched(self, testset: str) -> bool:
        """Whether the candidates of a test set were looked for, so that another search could find others."""
        return not self.config.testsets[testset].candidates.every

    def judgements(self, testset: str, language: str) -> str:
        """The judgements of one document language."""
        return f"{self.folder}/testsets/{testset}/judgements-{language}.parquet"

    def judged_languages(self, testset: str) -> list[str]:
        """The languages whose documents must be relevant for a query to be asked."""
        section = self.config.testsets[testset]
        if not section.mixed:
            return self.document_languages(testset)
        drawn = section.pool == "drawn"
        return [self.config.languages.source] if drawn else self.config.mixed_languages(testset)

    def document_languages(self, testset: str) -> list[str]:
        """Document languages of a test set, in table order."""
        return list(dict.fromkeys(pair.document for pair in self.pairs[testset]))

    def compares_languages(self, testset: str) -> bool:
        """Whether some queries are ranked against passages of their own language and, by the same ids, of another."""
        section = self.config.testsets[testset]
        pairs = {(pair.query, pair.document) for pair in self.pairs[testset]}
        return (
            section.mixed is None
            and section.documents == "parallel"
            and any(query != document and (query, query) in pairs for query, document in pairs)
        )

    def run_file(self, system: str, testset: str, pair: str, seed: int | str) -> str:
        """The TREC run of a system on one pair."""
        return f"{self.folder}/runs/{system}/{testset}/{pair}/seed{seed}.trec"

    def runs(self, testset: str) -> Iterator[Run]:
        """Every run of a test set: reference rows first, then systems."""
        for reference in self.config.evaluate.references:
            for pair in self.pairs[testset]:
                yield Run(reference, testset, pair, self.config.seeds[0])
        for ranker in self.rankers:
            for pair in self.ranked_pairs(ranker, testset):
                for seed in self.seeds_of(ranker):
                    yield Run(ranker.system, testset, pair, seed)

    @cached_property
    def sweep_points(self) -> list[SweepPoint]:
        """Every value of every sweep; the value that the swept system has itself is that system."""
        points = []
        for name, sweep in self.config.sweeps.items():
            for value in sweep.values:
                own = f"{sweep.system}-{suffix_of(name, value)}"
                system = own if own in self.config.systems else sweep.system
                points.append(SweepPoint(name, text_of(value), system))
        return points

    @property
    def swept_systems(self) -> set[str]:
        """The systems that only a sweep needs."""
        named = {sweep.system for sweep in self.config.sweeps.values()}
        return {point.system for point in self.sweep_points} - named - {self.config.evaluate.baseline}

    @property
    def main_systems(self) -> list[str]:
        """The systems of the experiment, without those that only a sweep needs."""
        return [name for name in self.config.systems if name not in self.swept_systems]

    @property
    def apart(self) -> dict[str, str]:
        """Systems that are no hypothesis of the main experiment, and the group they are tested in."""
        references = {str(name): "references" for name in self.config.evaluate.references}
        main = set(self.main_systems)
        swept = {point.system: f"sweep {point.sweep}" for point in self.sweep_points if point.system not in main}
        return {**references, **swept}
