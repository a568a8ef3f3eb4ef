"""The plan of retrieval: what encoders turn into vectors, what they search with them, and for whom."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import PurePath
from typing import Any

from switchrank.config.nodes import Ranker
from switchrank.config.plan_data import Pair
from switchrank.config.plan_runs import RunsPlan
from switchrank.config.sections import MIXED, Finding
from switchrank.config.systems import CROSS
from switchrank.search.choices import DEPTH
from switchrank.sources.bitext.files import PARTS


class RetrievalPlan(RunsPlan):
    """Names of vectors, and the facts of the jobs that make and search them.

    An *encoder* is a dual encoder, or late interaction, as one system uses it, with one seed: ``hybrid/xx-xx/seed1``,
    or ``e5``. Its vectors lie in ``encoded/<encoder>/<collection>/``, those of mixed pools in
    ``encoded/<encoder>/<testset>/``.
    """

    @property
    def encoding_rankers(self) -> list[Ranker]:
        """Those that turn queries and documents into vectors apart."""
        return [ranker for ranker in self.rankers if ranker.architecture != CROSS]

    def _encoder(self, system: str, train_pair: str | None, seed: int | str) -> str:
        return PurePath(self.model_folder(system, train_pair, seed)).relative_to(f"{self.folder}/models").as_posix()

    @cached_property
    def encoders(self) -> dict[str, tuple[Ranker, int]]:
        """Every encoder by name, those included whose vectors only others use."""
        found: dict[str, tuple[Ranker, int]] = {}
        for ranker in self.encoding_rankers:
            own = Ranker(ranker.trained, ranker.trained, ranker.train_pair, architecture=ranker.architecture)
            for seed in self.seeds_of(ranker):
                for one in (own, ranker):
                    found.setdefault(self._encoder(one.system, one.train_pair, seed), (one, seed))
        return found

    def encoder_model(self, encoder: str) -> str:
        """The folder of its model."""
        ranker, seed = self.encoders[encoder]
        return self.model_folder(ranker.trained, ranker.train_pair, seed)

    def made_by(self, encoder: str) -> str:
        """The encoder whose model made what its vectors are made of; itself, where it only encodes."""
        ranker, seed = self.encoders[encoder]
        return self._encoder(ranker.trained, ranker.train_pair, seed)

    def encoded_texts(self, encoder: str, collection: str, table: str) -> str:
        """The texts of a table such as ``documents-de`` as an encoder reads them: as they are, or translated."""
        translate = self.encoders[encoder][0].translate
        folder = f"translated/{translate}" if translate else "sources"
        return f"{self.folder}/{folder}/{collection}/{table}.parquet"

    def vectors(self, encoder: str, testset: str, kind: str, language: str) -> str:
        """The vectors of the ``documents`` or ``queries`` of a test set in one language, or of its mixed pool."""
        folder, ranker = f"{self.folder}/encoded", self.encoders[encoder][0]
        kept = language == self.config.languages.source or (ranker.weight is not None and kind == "documents")
        maker = self.made_by(encoder) if ranker.translate and kept else encoder
        if language == MIXED:
            return f"{folder}/{maker}/{testset}/{kind}-{MIXED}.npy"
        name = "documents" if kind == "documents" else "queries-test"
        return f"{folder}/{maker}/{self.config.testsets[testset].collection}/{name}-{language}.npy"

    def lines(self, bitext: str, language: str) -> dict[str, tuple[str, str]]:
        """The tables that hold the lines of a language of a parallel text, by the pair of each, and their column."""
        first, *others = self.config.bitext[bitext].every
        pairs = [f"{first}-{other}" for other in others if language in (first, other)]
        side = "source" if language == first else "target"
        return {pair: (f"{self.folder}/bitext/{bitext}/{pair}/{PARTS['train']}", side) for pair in pairs}

    def line_vectors(self, encoder: str, kind: str, language: str) -> list[str]:
        """The vectors of the lines that shift those of a language, encoded as ``queries`` or ``documents``."""
        bitext = str(self.encoders[encoder][0].shift)
        folder = f"{self.folder}/encoded/{self.made_by(encoder)}/{bitext}"
        return [f"{folder}/{kind}-{language}-of-{pair}.npy" for pair in self.lines(bitext, language)]

    def retrieval(self, ranker: Ranker, testset: str, seed: int | str) -> list[dict[str, Any]]:
        """What an encoder compares for the pairs of a test set that it ranks, in their order."""
        every = self.config.testsets[testset].candidates.every
        return [self._compared(ranker, testset, pair, seed, every=every) for pair in self.ranked_pairs(ranker, testset)]

    def _compared(self, ranker: Ranker, testset: str, pair: Pair, seed: int | str, *, every: bool) -> dict[str, str]:
        """Both sides of a pair, and its candidates; or who is asked, where every document may be found."""
        encoder = self._encoder(ranker.system, ranker.train_pair, seed)
        sides = {
            "queries": self.texts(testset, "queries", pair.query),
            "documents": self.texts(testset, "documents", pair.document),
            "query_vectors": self.vectors(encoder, testset, "queries", pair.query),
            "document_vectors": self.vectors(encoder, testset, "documents", pair.document),
        }
        if every:
            return sides | {"judgements": self.judgements(testset, pair.document)}
        return sides | {"candidates": self.candidates(testset, pair.document, pair.query)}

    def searched_depth(self, testset: str) -> int | None:
        """Documents of a query that the run of an encoder keeps; None for every candidate."""
        searched = self.config.testsets[testset].candidates.every
        return self.depth(testset) or (DEPTH if searched else None)

    def finder(self, testset: str) -> Ranker | None:
        """The encoder that finds the candidates of a test set, if one does."""
        name = self.config.testsets[testset].candidates.system
        return next((ranker for ranker in self.encoding_rankers if ranker.system == name), None)

    def found_run(self, testset: str, pair: Pair) -> str:
        """The run over all documents from which a pair has its candidates: that of another test set, where one is the
        same, else its own."""
        finder = self.finder(testset)
        assert finder is not None
        for other in self.config.testsets:
            ids = {one.id for one in self.ranked_pairs(finder, other)}
            if pair.id in ids and self._is_searched_alike(testset, other):
                return self.run_file(finder.system, other, pair.id, self.config.seeds[0])
        return f"{self.folder}/testsets/{testset}/found-{pair.id}.trec"

    def _is_searched_alike(self, testset: str, other: str) -> bool:
        """Whether every query of a test set is asked in another one, among all documents of the same collection."""
        mine, theirs = self.config.testsets[testset], self.config.testsets[other]
        asked = theirs.queries is None or (
            theirs.queries == mine.queries and self.judged_languages(other) == self.judged_languages(testset)
        )
        searched = theirs.candidates.every and not theirs.mixed and theirs.collection == mine.collection
        return asked and searched and (self.searched_depth(other) or 0) >= mine.candidates.depth

    def found_alone(self, testset: str) -> dict[str, dict[str, str]]:
        """What is searched for the candidates of a test set alone, by the run that it becomes."""
        finder = self.finder(testset)
        if finder is None:
            return {}
        runs = {self.found_run(testset, pair): pair for pair in self.pairs[testset]}
        seed = self.config.seeds[0]
        return {
            run: self._compared(finder, testset, pair, seed, every=True)
            for run, pair in runs.items()
            if run.startswith(f"{self.folder}/testsets/")
        }

    def retrieval_findings(self) -> Iterator[Finding]:
        """Pairs whose candidates a system cannot find."""
        for name, testset in self.config.testsets.items():
            finder = self.finder(name)
            possible = {pair.id for pair in self.possible_pairs(finder, name)} if finder else set()
            silent = [pair.id for pair in self.pairs[name] if finder and pair.id not in possible]
            if silent:
                problem = f"{testset.candidates.system} cannot search {silent[0]}"
                yield f"testsets.{name}.candidates.system", problem, "name a system that searches in every pair"
