"""The plan of a run: every file name and who makes it from what, derived from the config and its pair tables alone.

This is what the Snakefile asks. Nothing heavy is imported, and nothing is read but the config and the pair tables.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from switchrank.ablation.rows import NO_SYSTEM, Row, check_starts, read_ablation
from switchrank.collections.joined.section import Joined
from switchrank.config.architectures import MODELS
from switchrank.config.encoders import encoder_findings
from switchrank.config.nodes import Node, Ranker, StartNode
from switchrank.config.plan_data import Pair
from switchrank.config.plan_retrieval import RetrievalPlan
from switchrank.config.sections import MIXED, Finding, refused
from switchrank.config.systems import CROSS, OWN_START, Ablation
from switchrank.core.errors import UserError, raise_all
from switchrank.models.folder import MODEL_FILES
from switchrank.switching.recipe import read_recipe


class Plan(RetrievalPlan):
    """Names of a run's files and the facts of the jobs that make them; here those of the ablation."""

    @property
    def tuning(self) -> Ablation:
        assert self.config.ablation is not None
        return self.config.ablation

    def rows(self) -> list[Row]:
        """The rows of the ablation table, each right by itself; none without an ablation."""
        if self.config.ablation is None:
            return []
        path = self.table(self.tuning.rows)
        return read_ablation(path, languages=self.config.languages.every, systems=self.config.with_models)

    @cached_property
    def ablation(self) -> list[Row]:
        """The rows of the ablation table; UserError for every row that the rest of the config does not allow."""
        rows = self.rows()
        trained = self._trained_collections(rows)
        wrong = [(row, found) for row in rows if (found := next(self._refusals(row, trained), None))]
        raise_all(UserError(self.table(self.tuning.rows), f"row {row.id}", *found) for row, found in wrong)
        return rows

    def _refusals(self, row: Row, trained: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """What is wrong with a row, and what to do; later findings may follow from the first."""
        testset, language = self.tuning.testset, row.language
        if (architecture := self.config.architecture(row.start)) != CROSS:
            yield f"{row.start} is {MODELS[architecture]}, which is not tuned", "name a cross-encoder"
        tested = self.config.collections[self.config.testsets[testset].collection]
        if not self.tested_pairs(row):
            yield f"no test pair of {language}", f"add {language}-{language} to the pairs of {testset}"
        if language not in tested.test_languages or language not in tested.languages:
            yield f"{testset} has no queries or no documents in {language}", "name a language that is on both sides"
        if not self.start_of(row):
            todo = "name a start with one model for all pairs, or a pair with own_model yes"
            yield f"{row.start} has no model for {language}", todo
        if row.start not in (NO_SYSTEM, *self.finished) and row.seed not in self.config.seeds:
            yield f"no model of {row.start} with seed {row.seed}", "add it to seeds"
        if not row.examples:
            return
        name, share = self.config.labelled_collection(language), self.tuning.held_out
        if not name:
            yield f"no collection with labelled queries in {language}", f"add {language} to ablation.collection"
        if name in trained and not self.config.collections[name].labels:
            todo = (
                f"set labels: 0.05 in collections.{name}, a share that nobody is trained on, or name another collection"
            )
            yield f"{trained[name]} is trained on {name}, which its labelled queries come from", todo
        if share and not 0 < int(row.examples * share) < row.examples:
            problem = f"{share:g} of {row.examples} labelled queries leaves none to judge by"
            yield problem, "raise ablation.held_out or examples"

    def _trained_collections(self, rows: list[Row]) -> dict[str, str]:
        starts = dict.fromkeys(None if row.start == NO_SYSTEM else row.start for row in rows)
        learned = [part for start in starts for part in self.learned_by(start)]
        found: dict[str, str] = {}
        for name, corpus in sorted(learned, key=lambda one: one[0] not in self.config.systems):  # systems first
            collection = self.config.corpora[corpus].collection
            section = self.config.collections[collection]
            for part in section.of if isinstance(section, Joined) else [collection]:
                found.setdefault(part, name)
        return found

    def labelled(self, language: str) -> dict[str, str]:
        """The tables of a language's labels, by kind: what is set aside, else the training split of its collection."""
        name = self.config.labelled_collection(language)
        return self._split_tables(name, "labels" if self.config.collections[name].labels else "train", language)

    def trained_on(self, language: str) -> list[tuple[dict[str, str], bool]]:
        """The training splits that labelled queries of a language are compared with: the tables of each, by kind.

        They are what the models that rows start from were trained on, in the language of that training and in this one,
        if there is text in it. The second value says whether ids mean the same as among the labelled queries. There is
        a table of training pairs where they do and the collection was not trained on as a part of a joined one.
        """
        source, own = self.config.languages.source, self.config.labelled_collection(language)
        directly = {corpus.collection for corpus in self.config.corpora.values()}
        found = []
        for name in self._trained_collections(self.ablation):
            pairs = {"instances": self.instances(name, "train")} if name == own and name in directly else {}
            collection = self.config.collections[name]
            for side in collection.questions(source, "train"):
                if side in (collection.training_language(source), language):
                    found.append((self._split_tables(name, "train", side) | pairs, name == own))
        return found

    def _split_tables(self, collection: str, split: str, language: str) -> dict[str, str]:
        folder = f"{self.folder}/sources/{collection}"
        names = {"queries": f"queries-{split}", "judgements": f"judgements-{split}", "documents": "documents"}
        return {kind: f"{folder}/{name}-{language}.parquet" for kind, name in names.items()}

    def start_of(self, row: Row) -> list[str]:
        """The files of the model a row of the ablation starts from; none where that system has no model for it."""
        if row.start == NO_SYSTEM:
            return self.starts[OWN_START].files_of(row.seed)
        ranker = self._start_ranker(row)
        folder = self.model_folder(row.start, ranker.train_pair, row.seed) if ranker else None
        return [f"{folder}/{name}" for name in MODEL_FILES] if folder else []

    def _start_ranker(self, row: Row) -> Ranker | None:
        source = self.config.languages.source
        rankers = {ranker.train_pair: ranker for ranker in self.rankers if ranker.system == row.start}
        pairs = [f"{MIXED}-{MIXED}", f"{source}-{source}", f"{source}-{row.language}", f"{row.language}-{source}"]
        return next((rankers[pair] for pair in [None, *pairs] if pair in rankers), None)

    def row_model(self, row: Row) -> list[str]:
        """The files of the model that a row tests: the tuned one, or without examples the one it starts from."""
        return [f"{self.tuned_folder(row)}/{name}" for name in MODEL_FILES] if row.examples else self.start_of(row)

    def tuned_folder(self, row: Row) -> str:
        return f"{self.folder}/ablation/models/{row.id}"

    def node(self, words: Mapping[str, str]) -> Node:
        """The model that a job trains, by the values of its rule's wildcards: a system's, a start or a tuned one."""
        if "row" in words:
            row = next(row for row in self.ablation if row.id == words["row"])
            folder = f"{self.folder}/ablation/{row.language}-n{row.examples}-seed{row.seed}"
            return Node(
                folder=self.tuned_folder(row),
                start=self.start_of(row),
                corpus=f"{folder}/train-00000.parquet",
                dev=f"{folder}/dev.parquet" if self.tuning.held_out else None,
                on_the_fly=None,
                settings=self.tuning.train,
                seed=row.seed,
                facts={"system": row.id} | vars(row),
            )
        if "system" in words:
            return self.system_node(words["system"], words["train_pair"], int(words["seed"]))
        if "start" in words:
            start, seed = self.named_starts[words["start"]]
            return self._trained_start(start, start.key.partition(".")[2], seed)
        steps = {step.folder.rpartition("/")[2]: step for step in self.own_start}
        return self._trained_start(steps[words["step"]], OWN_START, self.config.seeds[0])

    def _trained_start(self, start: StartNode, name: str, seed: int) -> Node:
        assert start.settings is not None
        assert start.source is not None
        made: dict[str, Any] = {"settings": start.settings, "seed": seed if start.seed is None else start.seed}
        made |= {"folder": start.folder_of(seed), "start": start.source.files_of(seed)}
        if start.corpus is None:
            made |= {"facts": {"system": name}, "method": "distil", "more": {"layers": list(start.layers)}}
            return Node(corpus=None, dev=None, on_the_fly=None, **made)
        corpus, dev, on_the_fly = self.training_data(start.corpus, self.train_pairs(start.corpus)[0])
        facts = {"system": name, "corpus": start.corpus}
        return Node(corpus=corpus, dev=dev, on_the_fly=on_the_fly, **made, facts=facts)

    def shares_runs(self, row: Row) -> bool:
        """Whether a row's runs are those of its starting system: it has no examples, and that has ranked all pairs."""
        ranker = None if row.examples else self._start_ranker(row)
        seeded = ranker is not None and row.seed in self.seeds_of(ranker)
        ranked = self.ranked_pairs(ranker, self.tuning.testset) if ranker and seeded else []
        return set(self.tested_pairs(row)) <= set(ranked)

    def row_runs(self, row: Row) -> dict[str, str]:
        system, testset = row.start if self.shares_runs(row) else row.id, self.tuning.testset
        return {pair.id: self.run_file(system, testset, pair.id, row.seed) for pair in self.tested_pairs(row)}

    def tested_pairs(self, row: Row) -> list[Pair]:
        """The test pairs of a row: those of its language and the source language."""
        sides = {self.config.languages.source, row.language}
        return [pair for pair in self.pairs[self.tuning.testset] if {pair.query, pair.document} <= sides]

    def findings(self) -> Iterator[Finding]:
        """What jobs would refuse, as far as it is known once all tables are read."""
        config = self.config
        for corpus, section in config.corpora.items():
            for pair in [] if section.parallel else self.train_pairs(corpus):
                yield from refused(f"corpora.{corpus}", read_recipe, self.switching_recipe(corpus, pair))
        yield from encoder_findings(self)
        yield from self.retrieval_findings()
        for testset in config.testsets:
            yield from self._first_stage(testset)
            yield from self._baseline(testset)
        if config.ablation:
            rows = self.rows()
            given = config.ablation.reference, config.ablation.compared
            yield from refused("ablation", check_starts, rows, *given)
            for language in dict.fromkeys(row.language for row in rows if row.examples):
                name = config.labelled_collection(language)
                if not name:  # reported for each row
                    continue
                asked = config.collections[name].questions(config.languages.source, "train")
                if "train" not in config.collections[name].splits or language not in asked:
                    todo = f"name one with {language} among its train_languages, or in {language} alone"
                    yield "ablation.collection", f"{name} has no training queries in {language}", todo

    def _baseline(self, testset: str) -> Iterator[Finding]:
        """Every system of the experiment ranks a pair that the baseline ranks too."""
        ranked: dict[str, set[str]] = {}
        for run in self.runs(testset):
            ranked.setdefault(run.system, set()).add(run.pair.id)
        baseline = self.config.evaluate.baseline
        reached = ranked.get(baseline, set())
        alone = [name for name in self.main_systems if name in ranked and ranked[name].isdisjoint(reached)]
        if alone:
            problem = f"{baseline} ranks no pair of {testset} that {alone[0]} ranks"
            yield "evaluate.baseline", problem, "name a system that ranks what the others rank"

    def _first_stage(self, name: str) -> Iterator[Finding]:
        """BM25 needs queries and documents in the languages that it searches in, with the ids of those ranked."""
        testset, source = self.config.testsets[name], self.config.languages.source
        collection, asked = self.config.collections[testset.collection], testset.candidates.query_language
        if not testset.candidates.bm25:
            return
        silent = [language for language in self.judged_languages(name) if language not in collection.test_languages]
        problem = ""
        if asked == "source" and testset.documents == "own":
            problem = "documents have ids of their own in each language"
        elif asked == "source" and not {source} <= {*collection.languages} & {*collection.test_languages}:
            problem = f"{testset.collection} has no queries and documents in {source}"
        elif asked == "document" and silent:
            problem = f"{testset.collection} has no queries in {silent[0]}"
        elif asked not in ("source", "document", *collection.test_languages):
            problem = f"{testset.collection} has no queries in {asked}"
        if problem:
            ways = [*([] if silent else ["document"]), *collection.test_languages]
            todo = f"write {' or '.join([', '.join(ways[:-1]), ways[-1]] if ways[1:] else ways)}"
            yield f"testsets.{name}.candidates.query_language", problem, f"{todo}, or give candidates by run or all"
