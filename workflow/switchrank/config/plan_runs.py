"""The plan of models and of what is tested: starts, who ranks with what, texts, candidates, runs, values of sweeps."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from switchrank.collections.joined.section import Joined
from switchrank.config.lexicons import DictionaryLexicon, EncoderLexicon, TitlesLexicon
from switchrank.config.models import Download
from switchrank.config.nodes import Fusion, Node, Ranker, Run, StartNode, SweepPoint
from switchrank.config.plan_data import DataPlan, Pair, concrete_downloads
from switchrank.config.sections import MIXED, suffix_of, text_of
from switchrank.config.systems import CROSS, DUAL, METHODS, OWN_START, Training
from switchrank.core.errors import UserError
from switchrank.files.addresses import filled
from switchrank.models.catalogue import entry_of


class RunsPlan(DataPlan):
    """Names of models, test sets and runs, and the facts of models that are trained."""

    @cached_property
    def starts(self) -> dict[str, StartNode]:
        """Every start by name, the run's own as ``start``; those that go back to an unknown one are left out."""
        found = {OWN_START: self._own_start()}
        waiting = dict(self.config.starts)
        while ready := [name for name, section in waiting.items() if (section.source or OWN_START) in found]:
            for name in ready:
                section = waiting.pop(name)
                source = found.get(section.source or "")
                trained = self.config.training(section.train) if section.corpus else section.repair
                seeded = trained is not None or (source is not None and source.is_seeded)
                found[name] = StartNode(
                    key=f"starts.{name}",
                    folder=f"{self.folder}/starts/{name}{'/seed{seed}' if seeded else ''}",
                    weights=None if section.source else section,
                    source=source,
                    lexicon=section.transplant,
                    extension=section.extend,
                    layers=section.layers or (),
                    corpus=section.corpus,
                    settings=trained,
                )
        return found

    def _own_start(self) -> StartNode:
        start, folder = self.config.start, f"{self.folder}/start"
        node = StartNode("start", f"{folder}/initial", weights=start)
        if start.extend:
            node = StartNode("start.extend", f"{folder}/extended", source=node, extension=start.extend)
        if start.layers:
            fewer: dict[str, Any] = {"layers": start.layers, "settings": start.repair, "seed": start.seed}
            node = StartNode("start.layers", f"{folder}/repaired", source=node, **fewer)
        if first := start.first:
            node = StartNode(
                "start.first", f"{folder}/first", source=node, corpus=first.corpus, settings=first, seed=start.seed
            )
        if start.transplant:
            node = StartNode("start.transplant", f"{folder}/transplanted", source=node, lexicon=start.transplant)
        return node

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
        return [
            (name, pair)
            for name, system in self.config.systems.items()
            if system.corpora
            for pair in self.model_pairs(name)
        ]

    def model_pairs(self, system: str) -> list[str]:
        """The training pairs of a system's models: those of its corpus; one that encodes has one for all its tables."""
        tables = [pair for corpus in self.config.systems[system].corpora for pair in self.train_pairs(corpus)]
        if self.config.architecture(system) == CROSS:
            return tables
        if len({*tables}) == 1:
            return tables[:1]
        return [f"{MIXED}-{MIXED}"]

    @cached_property
    def finished(self) -> dict[str, str]:
        """The finished models that are scored beside the run's own: systems, each with its hub name or folder."""
        return {name: str(system.model) for name, system in self.config.systems.items() if system.is_finished}

    @cached_property
    def rankers(self) -> list[Ranker]:
        found: list[Ranker] = []
        for name, system in self.config.systems.items():
            trained, test = system.uses or name, system.test
            how: dict[str, Any] = {"architecture": self.config.architecture(name)}
            how |= {"translate": test.translate, "weight": test.weight, "shift": test.shift} if test else {}
            if trained in self.finished:
                found.append(Ranker(name, trained, None, **how))
            found += [Ranker(name, trained, pair, **how) for model, pair in self.models if model == trained]
        return found

    @cached_property
    def fusions(self) -> list[Fusion]:
        systems = self.config.systems.items()
        return [Fusion(name, tuple(system.fuse), system.method) for name, system in systems if system.fuse]

    @cached_property
    def weights(self) -> dict[str, str]:
        """Of each system that goes back to weights from elsewhere, the folder that holds them as they came."""
        found = {}
        for name, system in self.config.systems.items():
            if system.fuse:
                continue
            trained = system.uses or name
            root = [*self.starts[self.config.systems[trained].start].steps()][-1]
            if trained in self.finished:
                found[name] = self.model_folder(trained, None, 0)
            elif root.weights and root.weights.model:
                found[name] = root.folder
        return found

    def model_folder(self, system: str, train_pair: str | None, seed: int | str) -> str:
        """The folder of a model; a finished one has no training pair and no seed."""
        folder = f"{self.folder}/models/{system}"
        return f"{folder}/{train_pair}/seed{seed}" if train_pair else folder

    def seeds_of(self, ranker: Ranker) -> list[int]:
        """The seeds that a system has runs for; a finished model has one run, under the first."""
        return self.config.seeds if ranker.train_pair else self.config.seeds[:1]

    def ranks(self, system: str, testset: str) -> bool:
        """Whether a system or a reference row is asked to rank a test set."""
        asked = self.config.testsets[testset].systems
        return asked is None or system in asked

    def depth(self, testset: str) -> int | None:
        """Documents of a query that runs on a test set keep; None for every candidate."""
        return self.config.testsets[testset].depth or self.config.rank.depth

    def references(self, testset: str) -> list[str]:
        """The reference rows of a test set."""
        return [name for name in self.config.evaluate.references if self.ranks(name, testset)]

    def ranked_pairs(self, ranker: Ranker, testset: str) -> list[Pair]:
        """Pairs that a model scores: its own, or all when it serves all, or those whose sides can be translated or
        shifted; none of a test set that others rank."""
        return self.possible_pairs(ranker, testset) if self.ranks(ranker.system, testset) else []

    def possible_pairs(self, ranker: Ranker, testset: str) -> list[Pair]:
        """The same of any test set."""
        pairs, source = self.pairs[testset], self.config.languages.source
        if any(self.config.corpora[name].bilingual for name in self.config.systems[ranker.trained].corpora):
            return [pair for pair in pairs if pair.id == ranker.train_pair]
        if ranker.translate:
            known, alone = {source, *self.lexicon_languages(ranker.translate)}, ranker.weight is not None
            pairs = [one for one in pairs if {one.query} | (set() if alone else {one.document}) <= known]
        if ranker.shift:
            known, mixed = {*self.config.bitext[ranker.shift].every}, {*self.config.mixed_languages(testset)}
            pairs = [one for one in pairs if ({one.query, one.document} - {MIXED}) | mixed <= known]
        return pairs

    def corpora_of(self, system: str) -> list[str]:
        """What the models that a system ranks with are trained on; nothing for a finished one."""
        section = self.config.systems[system]
        return self.config.systems[section.uses].corpora if section.uses else section.corpora

    def learned_by(self, system: str | None) -> list[tuple[str, str]]:
        """What a system, or the run's own start (None), was trained on: its name or the start's key, and a corpus."""
        section = self.config.systems[system] if system else None
        if section and not section.corpora:
            return []
        start = self.starts.get(section.start if section else OWN_START)
        found = [(step.key, step.corpus) for step in start.steps() if step.corpus] if start else []
        return [*((str(system), corpus) for corpus in section.corpora), *found] if section else found

    def system_node(self, system: str, train_pair: str, seed: int) -> Node:
        section = self.config.systems[system]
        made: dict[str, Any] = {"settings": self.config.training(section.train, section.architecture), "seed": seed}
        made |= {"folder": self.model_folder(system, train_pair, seed)}
        made |= {"start": self.starts[section.start].files_of(seed)}
        facts: dict[str, Any] = {"system": system, "train_pair": train_pair, "corpus": section.corpus}
        if section.architecture == CROSS:
            corpus, dev, on_the_fly = self.training_data(str(section.corpus), train_pair)
            return Node(corpus=corpus, dev=dev, on_the_fly=on_the_fly, facts=facts, **made)
        tables = [(corpus, pair) for corpus in section.corpora for pair in self.train_pairs(corpus)]
        return Node(
            corpus=[self.training_file(*table) for table in tables],
            dev=f"{self.corpus_folder(*tables[0])}/dev.parquet",
            on_the_fly=None,
            facts=facts | {"tables": ["/".join(table) for table in tables]},
            method=METHODS[section.architecture],
            more=self._prompts(section.start, made["settings"]) if section.architecture == DUAL else {},
            **made,
        )

    def _prompts(self, start: str, settings: Training) -> dict[str, str]:
        """The prompts that the catalogue knows of the model that a start goes back to, where settings name none."""
        weights = [*self.starts[start].steps()][-1].weights
        entry = entry_of(weights.model) if weights and weights.model else None
        known = {f"{kind}_prompt": text for kind, text in (entry.prompts if entry else {}).items()}
        return {key: text for key, text in known.items() if getattr(settings, key) is None}

    def same_runs(self, baseline: str) -> list[list[str]]:
        """``[system, testset, query_lang, doc_lang]`` of every run that is, by construction, a copy of the baseline's.

        A Translate-Test system is the model it is made of wherever there is nothing to translate.
        """
        made = {}
        for ranker in self.rankers:
            for testset in self.config.testsets:
                for pair in self.ranked_pairs(ranker, testset):
                    translate = ranker.translate if ranker.weight is None else None
                    queries = self.texts(testset, "queries", pair.query, ranker.translate)
                    documents = self.texts(testset, "documents", pair.document, translate)
                    run = (ranker.system, testset, pair.query, pair.document)
                    made[run] = (ranker.trained, ranker.train_pair, queries, documents, ranker.shift)
        return [list(run) for run in made if run[0] != baseline and made.get((baseline, *run[1:])) == made[run]]

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
        """The candidates of a document language, or of a pair where runs are given pair by pair."""
        section = self.config.testsets[testset]
        drawn = document == MIXED and section.pool == "drawn"  # which keeps the ids of the source language
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

    @cached_property
    def downloads(self) -> dict[str, Download]:
        """Every file that is fetched when an input needs it, by path, placeholders filled in."""
        return concrete_downloads(self.config.downloads, [path for _, path in self.named_inputs()])

    @property
    def raw_files(self) -> list[str]:
        """The files of collections, bitext, lexicons and vectors that no job makes; they decide the size of a run."""
        sections = ("collections.", "bitext.", "lexicons.", "vectors.languages.")
        named = dict.fromkeys(path for key, path in self.named_inputs() if key.startswith(sections))
        return [path for path in named if not path.startswith(f"{self.folder}/")]

    def named_inputs(self, wrong: Collection[str] = ()) -> Iterator[tuple[str, str]]:
        """Key path and file of every input that the config names; sections that are ``wrong`` name none."""
        config, source = self.config, self.config.languages.source
        for name, part in config.collections.items():
            if not isinstance(part, Joined) and f"collections.{name}" not in wrong:
                yield from ((f"collections.{name}", path) for path in part.roles(source).values())
        for name, bitext in config.bitext.items():
            yield from ((f"bitext.{name}", path) for path in bitext.inputs if f"bitext.{name}" not in wrong)
        for name, lexicon in config.lexicons.items():
            for language in self.lexicon_languages(name) if f"lexicons.{name}" not in wrong else []:
                if isinstance(lexicon, TitlesLexicon):
                    yield from ((f"lexicons.{name}", path) for path in lexicon.files(source, language))
                if isinstance(lexicon, DictionaryLexicon):
                    yield from ((f"lexicons.{name}", path) for path in lexicon.files(language))
            if isinstance(lexicon, EncoderLexicon) and isinstance(lexicon.words, dict):
                yield from ((f"lexicons.{name}", path) for path in lexicon.words.values())
        for name, pairs in config.gold.items() if not any(place.startswith("gold.") for place in wrong) else []:
            for pair in pairs:
                given = config.gold_file(name, pair).files(pair.split("-")[1])
                yield from ((f"gold.{name}.{pair}", path) for path in given)
        for language, vectors in config.vector_sources.items():
            for file in [*(vectors.text or []), *filter(None, [vectors.path, vectors.extra_words])]:
                yield f"vectors.languages.{language}", file
        for language, paths in config.start.tokenizer.texts.items():
            yield from ((f"start.tokenizer.texts.{language}", path) for path in paths)
        seed = config.vectors.alignment.seed_pairs if config.vectors else "identical"
        if seed not in ("identical", *config.lexicons) and "vectors.alignment" not in wrong:
            turned = [language for language in config.vector_sources if not self.aligned(language)]
            yield from (("vectors.alignment.seed_pairs", filled(seed, {"lang": language})) for language in turned)
        for name in config.testsets:
            with suppress(UserError):  # what is wrong with its pairs is told elsewhere
                yield from [(f"testsets.{name}.candidates.run", path) for path in self.given_runs(name)]

    def given_runs(self, testset: str) -> list[str]:
        """The runs that the candidates of a test set are read from, in the order of its pairs."""
        section = self.config.testsets[testset].candidates
        if section.run is None:
            return []
        sides = [("", language) for language in self.judged_languages(testset)]
        if section.by_pair:
            sides = [(pair.query, pair.document) for pair in self.pairs[testset]]
        return list(dict.fromkeys(section.run_file(*side) for side in sides))

    def first_stage(self, testset: str, language: str) -> tuple[str, str]:
        """Languages of the queries and documents that the candidates among documents of ``language`` come from."""
        section = self.config.testsets[testset]
        collection = self.config.collections[section.collection]
        asked, source = section.candidates.query_language, self.config.languages.source
        sides = {"source": (source, source), "document": (language, language)}.get(asked, (asked, language))
        if sides[0] in collection.test_languages and sides[1] in collection.languages:
            return sides
        return collection.test_languages[0], language  # candidates by run or all look at no text

    def search(self, testset: str, language: str) -> str:
        """What found the candidates among documents of ``language``: ``run``, ``all``, ``system``, or the languages of
        queries and documents that BM25 compared, such as ``en-en``; several for a pool of every document in every
        language."""
        section = self.config.testsets[testset]
        if section.candidates.bm25 is None:
            return "run" if section.candidates.run else "system" if section.candidates.system else "all"
        languages = self.judged_languages(testset) if language == MIXED else [language]
        return " ".join(dict.fromkeys("-".join(self.first_stage(testset, lang)) for lang in languages))

    def lexicon_pairs(self, testset: str) -> dict[str, list[Pair]]:
        """By lexicon of Translate-Test: the pairs of a test set whose texts it translates into the source language."""
        source, found = self.config.languages.source, {}
        for ranker in self.rankers:
            if ranker.translate and ranker.weight is None:
                pairs = self.ranked_pairs(ranker, testset)
                found[ranker.translate] = [pair for pair in pairs if {pair.query, pair.document} != {source}]
        return found

    def judgements(self, testset: str, language: str) -> str:
        return f"{self.folder}/testsets/{testset}/judgements-{language}.parquet"

    def judged_languages(self, testset: str) -> list[str]:
        """The languages in which a query needs a relevant document to be asked."""
        section = self.config.testsets[testset]
        if not section.mixed:
            return self.document_languages(testset)
        return [self.config.languages.source] if section.pool == "drawn" else self.config.mixed_languages(testset)

    def document_languages(self, testset: str) -> list[str]:
        """Document languages of a test set, in table order."""
        return list(dict.fromkeys(pair.document for pair in self.pairs[testset]))

    def compares_languages(self, testset: str) -> bool:
        """Whether some queries are ranked against the same passages in their own language and in another."""
        section = self.config.testsets[testset]
        if section.mixed or section.documents == "own":
            return False
        pairs = {(pair.query, pair.document) for pair in self.pairs[testset]}
        return any(query != document and (query, query) in pairs for query, document in pairs)

    def run_file(self, system: str, testset: str, pair: str, seed: int | str) -> str:
        return f"{self.folder}/runs/{system}/{testset}/{pair}/seed{seed}.trec"

    def runs(self, testset: str) -> Iterator[Run]:
        """Every run of a test set: reference rows first, then systems, then those that are made of others' runs."""
        for reference in self.references(testset):
            for pair in self.pairs[testset]:
                yield Run(reference, testset, pair, self.config.seeds[0])
        for ranker in self.rankers:
            for pair in self.ranked_pairs(ranker, testset):
                for seed in self.seeds_of(ranker):
                    yield Run(ranker.system, testset, pair, seed)
        for fusion in self.fusions:
            for pair, seed in self.fused_runs(fusion, testset):
                yield Run(fusion.system, testset, pair, seed)

    def fused_runs(self, fusion: Fusion, testset: str) -> dict[tuple[Pair, int], list[str]]:
        """The runs that each run of a fusion is made of, by pair and seed: of pairs that all its parts rank.

        A part without seeds, such as a finished model, has one run for all.
        """
        if not self.ranks(fusion.system, testset):
            return {}
        parts: dict[str, dict[Pair, list[int]]] = {part: {} for part in fusion.parts}
        for reference in {*fusion.parts} & {*self.references(testset)}:
            parts[reference] = dict.fromkeys(self.pairs[testset], self.config.seeds[:1])
        for ranker in [one for one in self.rankers if one.system in parts]:
            parts[ranker.system] |= {pair: self.seeds_of(ranker) for pair in self.ranked_pairs(ranker, testset)}
        found = {}
        for pair in [pair for pair in self.pairs[testset] if all(pair in runs for runs in parts.values())]:
            for seed in max((runs[pair] for runs in parts.values()), key=len):
                told = {part: seed if seed in runs[pair] else runs[pair][0] for part, runs in parts.items()}
                found[pair, seed] = [self.run_file(part, testset, pair.id, one) for part, one in told.items()]
        return found

    @cached_property
    def sweep_points(self) -> list[SweepPoint]:
        """Every value of every sweep; the value that the varied system has itself is that system."""
        points = []
        for name, sweep in self.config.sweeps.items():
            for value in sweep.values:
                own = f"{sweep.system}-{suffix_of(name, value)}"
                system = own if own in self.config.systems else sweep.system
                points.append(SweepPoint(name, text_of(value), system))
        return points

    @cached_property
    def swept_systems(self) -> set[str]:
        named = {sweep.system for sweep in self.config.sweeps.values()}
        return {point.system for point in self.sweep_points} - named - {self.config.evaluate.baseline}

    @property
    def main_systems(self) -> list[str]:
        """The systems of the experiment, without those that only a sweep needs."""
        return [name for name in self.config.systems if name not in self.swept_systems]

    @property
    def apart(self) -> dict[str, str]:
        """Systems that are not tested with those of the main experiment, and the group they are tested in."""
        references = {str(name): "references" for name in self.config.evaluate.references}
        swept = self.swept_systems
        return references | {one.system: f"sweep {one.sweep}" for one in self.sweep_points if one.system in swept}
