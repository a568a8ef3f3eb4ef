"""The plan of a run: every file name and who makes it from what, derived from the config and its pair tables alone.

This is what the Snakefile asks. Nothing heavy is imported, and nothing is read but the config and the pair tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from switchrank.ablation.rows import NO_SYSTEM, Row, read_ablation
from switchrank.config.labels import Trained, check_rows, labelled_collection, labelled_split, trained_tables
from switchrank.config.nodes import Node
from switchrank.config.pairs import Pair
from switchrank.config.plan_models import Ranker
from switchrank.config.plan_runs import RunsPlan
from switchrank.config.sections import MIXED
from switchrank.config.systems import OWN_START
from switchrank.models.folder import MODEL_FILES


class Plan(RunsPlan):
    """Names of a run's files and the jobs that make them; here those of the ablation.

    Args:
        config: a checked config.
        roots: folders in which relative paths of pair tables are looked for, in this order.
    """

    def rows(self) -> list[Row]:
        """The rows of the ablation table, each right by itself; none without an ablation."""
        if self.config.ablation is None:
            return []
        path = self.table(self.config.ablation.rows)
        return read_ablation(path, languages=self.config.languages.every, systems=self.config.with_models)

    @cached_property
    def ablation(self) -> list[Row]:
        """The rows of the ablation table.

        Raises:
            UserError: the table is missing or wrong, or a row does not fit the config (:func:`check_rows`).
        """
        section = self.config.ablation
        if section is None:
            return []
        path, rows = self.table(section.rows), self.rows()
        check_rows(self, path, rows)
        return rows

    def labelled(self, language: str) -> dict[str, str]:
        """The labelled split of a language: ``queries``, ``judgements``, ``documents``."""
        name = labelled_collection(self.config, language)
        return self._split_tables(name, labelled_split(self.config, language), language)

    def trained_on(self, language: str) -> list[Trained]:
        """What labelled queries of a language are compared with: the training of the models that rows start from."""
        return trained_tables(self.config, self.ablation, language)

    def training_tables(self, trained: Trained) -> dict[str, str]:
        """The tables of a training split in one language, and its pairs where they say something of the labels."""
        tables = self._split_tables(trained.collection, "train", trained.language)
        pairs = {"instances": self.instances(trained.collection, "train")}
        return tables | (pairs if trained.shared_ids and trained.whole else {})

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
        """The folder of a tuned model."""
        return f"{self.folder}/ablation/models/{row.id}"

    def setting_folder(self, row: Row) -> str:
        """The folder of a row's labelled examples, which rows with other starting models share."""
        return f"{self.folder}/ablation/{row.language}-n{row.examples}-seed{row.seed}"

    def tuned_node(self, row: Row) -> Node:
        """The model of a row of the ablation that has examples."""
        section = self.config.ablation
        assert section is not None
        folder = self.setting_folder(row)
        return Node(
            folder=self.tuned_folder(row),
            start=self.start_of(row),
            corpus=f"{folder}/train-00000.parquet",
            dev=f"{folder}/dev.parquet" if section.held_out else None,
            on_the_fly=None,
            settings=section.train,
            seed=row.seed,
            facts={"system": row.id} | vars(row),
        )

    def node(self, words: Mapping[str, str]) -> Node:
        """The model that a job trains, by the values of its rule's wildcards: a system's, a start or a tuned one."""
        if "row" in words:
            return self.tuned_node(next(row for row in self.ablation if row.id == words["row"]))
        if "system" in words:
            return self.system_node(words["system"], words["train_pair"], int(words["seed"]))
        if "start" in words:
            start, seed = self.named_starts[words["start"]]
            return self.start_node(start, start.key.partition(".")[2], seed)
        first = next(step for step in self.own_start if step.corpus)
        return self.start_node(first, OWN_START, self.config.seeds[0])

    def shares_runs(self, row: Row) -> bool:
        """Whether a row's runs are those of its starting system: it has no examples, and that has ranked all pairs."""
        assert self.config.ablation is not None
        ranker = None if row.examples else self._start_ranker(row)
        seeded = ranker is not None and row.seed in self.seeds_of(ranker)
        ranked = self.ranked_pairs(ranker, self.config.ablation.testset) if ranker and seeded else []
        return set(self.tested_pairs(row)) <= set(ranked)

    def row_runs(self, row: Row) -> dict[str, str]:
        """The run of each tested pair of a row."""
        assert self.config.ablation is not None
        system, testset = row.start if self.shares_runs(row) else row.id, self.config.ablation.testset
        return {pair.id: self.run_file(system, testset, pair.id, row.seed) for pair in self.tested_pairs(row)}

    def tested_pairs(self, row: Row) -> list[Pair]:
        """The test pairs of a row: those of its language and the source language."""
        assert self.config.ablation is not None
        sides = {self.config.languages.source, row.language}
        return [pair for pair in self.pairs[self.config.ablation.testset] if {pair.query, pair.document} <= sides]
