"""The graph of jobs of a config, stage by stage, as the rules make it; a test holds both equal.

Snakemake is not asked: this costs milliseconds, and works where Snakemake is not installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from switchrank.config.models import DegradedLexicon, DictionaryLexicon, MergedLexicon, TitlesLexicon
from switchrank.config.plan import Pair, Plan
from switchrank.config.sections import MIXED
from switchrank.config.settings import world_spec
from switchrank.run.plan.jobs import Graph, Job
from switchrank.run.resources import SEARCH_THREADS
from switchrank.sources.build import collection_outputs
from switchrank.sources.world.files import world_outputs

MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
RECORD = (*MODEL_FILES, "README.md", "train.json")
STARTING = (*MODEL_FILES, "start.json")
TOKEN_FILES = ("tokens.parquet", "pieces.parquet", "keys.parquet")
_SWITCHED_TEXTS = ("documents", "queries-train", "queries-dev")


def job_graph(plan: Plan) -> Graph:
    """The jobs that lead to a run's report and provenance."""
    targets = [f"{plan.folder}/report.zip", f"{plan.folder}/provenance.json", *plan.samples]
    return Graph(_Jobs(plan).all(), targets)


def _identifier(*parts: str) -> str:
    return "_".join(parts).replace("-", "_")


class _Jobs:
    """Every job that the rules could make for a config; :class:`Graph` keeps the needed ones."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.config, self.R = plan, plan.config, plan.folder
        self.source = plan.config.languages.source
        self.made: list[Job] = []

    def all(self) -> list[Job]:
        """All jobs."""
        for stage in (
            *(self.sources, self.embeddings, self.lexicons, self.quality, self.corpora, self.translations),
            *(self.start, self.models, self.candidates, self.pools, self.runs),
            *(self.scores, self.analyses, self.labelled, self.tuned, self.pictures, self.report),
        ):
            stage()
        return self.made

    def add(
        self,
        rule: str,
        name: str,
        inputs: Iterable[str],
        outputs: Iterable[str],
        *,
        kind: str = "",
        timed: bool = True,
        threads: int = 1,
        gpu: bool = False,
        processes: int = 1,
        **about: Any,
    ) -> None:
        """One job; ``name`` is the path of its log without folder and suffix."""
        stage = "report" if name == "provenance" else "sources" if name == "world" else name.split("/", 1)[0]
        self.made.append(
            Job(
                rule=rule,
                kind=kind or rule,
                stage=stage,
                inputs=tuple(dict.fromkeys(inputs)),
                outputs=tuple(outputs),
                log=f"{self.R}/logs/{name}.log",
                benchmark=f"{self.R}/benchmarks/{name}.tsv" if timed else None,
                about=about,
                threads=threads,
                gpu=gpu,
                processes=processes,
            )
        )

    def store(self, kind: str, language: str) -> list[str]:
        """The files of a vector store."""
        return [f"{self.R}/vectors/{kind}/{language}.{part}" for part in ("words.parquet", "npy")]

    def vocabulary(self, *languages: str) -> list[str]:
        """Words that cut unspaced text."""
        cut = set(self.config.languages.longest_match) & set(self.plan.vector_languages)
        return [f"{self.R}/vectors/aligned/{lang}.words.parquet" for lang in languages if lang in cut]

    def tables(self, collection: str) -> str:
        """The folder of a collection's tables."""
        return f"{self.R}/sources/{collection}"

    def sources(self) -> None:
        """World, downloads, plain text of dumps, collections."""
        plan = self.plan
        if self.config.world:
            outputs = world_outputs(world_spec(self.config))
            self.add("world", "world", [], [f"{self.R}/world/{name}" for name in outputs])
        for number, path in enumerate(plan.downloads, 1):
            self.add(f"fetch_{number}", f"sources/fetch-{number}", [], [path], kind="fetch", timed=False)
        for number, (dump, text) in enumerate(plan.dumps.items(), 1):
            self.add(f"wikitext_{number}", f"sources/wikitext-{number}", [dump], [text], kind="wikitext")
        for name in self.config.collections:
            tables = [f"{self.tables(name)}/{file}" for file in collection_outputs(plan.collection_spec(name))]
            rule, files = _identifier("collection", name), plan.collection_files(name).values()
            self.add(rule, f"sources/{name}", files, tables, kind="collection", collection=name)

    def embeddings(self) -> None:
        """Vectors, as they are and in the space of the source language."""
        for lang in self.plan.vector_languages:
            given = self.plan.vector_source(lang)
            raw, aligned = self.store("raw", lang), self.store("aligned", lang)
            if given.text:
                text = self.plan.plain(given.text)
                self.add("train_vectors", f"embeddings/train-{lang}", text, raw, lang=lang)
            else:
                files = [str(given.path), *([given.extra_words] if given.extra_words else [])]
                self.add("import_vectors", f"embeddings/import-{lang}", files, raw, lang=lang)
            outputs = [*aligned, f"{self.R}/vectors/aligned/{lang}.json"]
            if self.plan.aligned(lang):
                self.add("keep_vectors", f"embeddings/keep-{lang}", raw, outputs, lang=lang)
            else:
                inputs = [*raw, *self.store("raw", self.source), *self._seeds(lang)]
                self.add("align_vectors", f"embeddings/align-{lang}", inputs, outputs, lang=lang)

    def _seeds(self, language: str) -> list[str]:
        assert self.config.vectors is not None
        seed = self.config.vectors.alignment.seed_pairs
        if seed in self.config.lexicons:
            return [self.plan.lexicon_file(seed, language)]
        return [] if seed == "identical" else [seed.format(lang=language)]

    def lexicons(self) -> None:
        """Lexicons, of vectors in both directions."""
        for (name, lang), path in self.plan.lexicon_files.items():
            section = self.config.lexicons[name]
            if isinstance(section, TitlesLexicon):
                rule, files = "titles_lexicon", section.files(self.source, lang)
            elif isinstance(section, DictionaryLexicon):
                rule, files = "dictionary_lexicon", section.files(lang)
            elif isinstance(section, MergedLexicon):
                rule, files = "merged_lexicon", self.plan.merged_files(name, lang)
            elif isinstance(section, DegradedLexicon):
                rule, files = "degraded_lexicon", [self.plan.lexicon_file(section.of, lang)]
            else:
                files = [*self.store("aligned", self.source), *self.store("aligned", lang)]
                back = self.plan.reverse_file(name, lang)
                for ends, output in (((self.source, lang), path), ((lang, self.source), back)):
                    label = f"lexicon/{name}-{'-'.join(ends)}"
                    self._search(label, files, output, lexicon=name, languages=ends)
                continue
            self.add(rule, f"lexicon/{name}-{lang}", files, [path], lexicon=name, languages=(self.source, lang))

    def _search(self, name: str, inputs: list[str], output: str, **about: Any) -> None:
        """A search for nearest neighbours."""
        self.add("vectors_lexicon", name, inputs, [output], threads=SEARCH_THREADS, **about)

    @property
    def judged_lexicons(self) -> list[tuple[str, str, str]]:
        """Lexicon, language and gold dictionary wherever there is one."""
        return [
            (lexicon, lang, name)
            for lexicon, lang in self.plan.lexicon_files
            for name, pairs in self.config.gold.items()
            if f"{self.source}-{lang}" in pairs
        ]

    def quality(self) -> None:
        """The quality of lexicons."""
        inputs = [self.plan.lexicon_file(lexicon, lang) for lexicon, lang, _ in self.judged_lexicons]
        for _, lang, name in self.judged_lexicons:
            inputs += self.config.gold_file(name, f"{self.source}-{lang}").files(lang)
        self.add("lexicon_quality", "lexicon/quality", inputs, [f"{self.R}/tables/lexicon_quality.csv"])

    def corpora(self) -> None:
        """Instances, token tables, corpora."""
        for name, section in self.config.collections.items():
            if "train" in section.splits or section.format == "joined":
                self._instances(name)
        for name in self.config.corpora:
            for pair in self.plan.train_pairs(name):
                if self.config.corpora[name].parallel:
                    self._parallel(name, pair)
                else:
                    self._switched(name, pair)

    def _instances(self, collection: str) -> None:
        folder, end = self.tables(collection), f"{self.source}.parquet"
        for split in ("train", "dev"):
            inputs = [f"{folder}/queries-{split}-{end}", f"{folder}/documents-{end}"]
            inputs += [f"{folder}/judgements-{split}-{end}"]
            if self.config.collections[collection].brings_triples and split == "train":
                inputs.append(f"{folder}/triples-train.parquet")
            else:
                inputs += self.vocabulary(self.source)
            output = f"{self.R}/instances/{collection}/{split}.parquet"
            label = f"corpus/instances-{collection}-{split}"
            self.add("instances", label, inputs, [output], collection=collection, split=split)
        for cut in ("unicode", "treebank"):
            for texts in _SWITCHED_TEXTS:
                outputs = [f"{self.R}/tokens/{collection}/{cut}/{texts}/{file}" for file in TOKEN_FILES]
                label = f"corpus/tokens-{collection}-{cut}-{texts}"
                inputs = [f"{folder}/{texts}-{end}", *(self.vocabulary(self.source) if cut == "unicode" else [])]
                self.add("tokens", label, inputs, outputs, collection=collection, texts=texts)

    def _corpus_files(self, corpus: str, pair: str) -> list[str]:
        folder = self.plan.corpus_folder(corpus, pair)
        return [self.plan.training_file(corpus, pair), *(f"{folder}/{file}" for file in ("dev.parquet", "stats.json"))]

    def _switched(self, corpus: str, pair: str) -> None:
        kept, label = self.config.corpora[corpus].materialise, f"corpus/{corpus}-{pair}"
        rule, outputs = "switch" if kept is True else "on_the_fly", self._corpus_files(corpus, pair)
        self.add(rule, label, self._switched_from(corpus, pair, "train", "dev"), outputs, corpus=corpus)
        if kept == "sample":
            output = f"{self.plan.corpus_folder(corpus, pair)}/sample.parquet"
            self.add("sample", f"{label}-sample", self._switched_from(corpus, pair, "train"), [output], corpus=corpus)

    def _switched_from(self, corpus: str, pair: str, *splits: str) -> list[str]:
        """What some splits of a corpus are switched from."""
        section = self.config.corpora[corpus]
        inputs = [f"{self.R}/instances/{section.collection}/{split}.parquet" for split in splits]
        for side, lang in zip(("queries", "passages"), pair.split("-"), strict=True):
            cut = "treebank" if section.treebank and lang != self.source else "unicode"
            texts = ["documents"] if side == "passages" else [f"queries-{split}" for split in splits]
            inputs += [
                f"{self.R}/tokens/{section.collection}/{cut}/{name}/{file}" for name in texts for file in TOKEN_FILES
            ]
        languages = self.plan.corpus_languages(corpus, pair)
        return inputs + [self.plan.lexicon_file(str(section.lexicon), lang) for lang in languages]

    def _trained_on(self, corpus: str, pair: str) -> list[str]:
        """What training reads of a corpus: its files, and where it is switched on the fly, what it is switched from."""
        written = self.config.corpora[corpus].materialise is True
        return self._corpus_files(corpus, pair)[:2] + ([] if written else self._switched_from(corpus, pair, "train"))

    def _parallel(self, corpus: str, pair: str) -> None:
        collection = self.config.corpora[corpus].collection
        query, passage = pair.split("-")
        folder = self.tables(collection)
        inputs = [f"{self.R}/instances/{collection}/{split}.parquet" for split in ("train", "dev")]
        inputs += [f"{folder}/queries-{split}-{query}.parquet" for split in ("train", "dev")]
        inputs += [f"{folder}/documents-{passage}.parquet"]
        self.add("parallel", f"corpus/{corpus}-{pair}", inputs, self._corpus_files(corpus, pair), corpus=corpus)

    def translations(self) -> None:
        """Test texts, word by word in the source language."""
        through = {ranker.translate for ranker in self.plan.rankers if ranker.translate}
        for lexicon in sorted(through):
            for collection in dict.fromkeys(section.collection for section in self.config.testsets.values()):
                for lang in self.plan.lexicon_languages(lexicon):
                    self._translation(lexicon, collection, lang)

    def _translation(self, lexicon: str, collection: str, lang: str) -> None:
        for table in ("queries-test", "documents"):
            inputs = [f"{self.tables(collection)}/{table}-{lang}.parquet", self.plan.reverse_file(lexicon, lang)]
            output = f"{self.R}/translated/{lexicon}/{collection}/{table}-{lang}.parquet"
            label = f"corpus/translate-{lexicon}-{collection}-{table}-{lang}"
            about: dict[str, Any] = {"collection": collection, "texts": table, "lang": lang}
            self.add("translate", label, [*inputs, *self.vocabulary(lang)], [output], **about)

    def start(self) -> None:
        """The model that all systems start from."""
        start, folder = self.config.start, f"{self.R}/start"
        initial = [f"{folder}/initial/{file}" for file in STARTING]
        if start.preset:
            texts = {lang: self.plan.plain(paths) for lang, paths in self._tokenizer_texts().items()}
            cut = self.config.languages.longest_match
            needed = [lang for lang in self.plan.vector_languages if lang not in texts or lang in cut]
            words = [f"{self.R}/vectors/aligned/{lang}.words.parquet" for lang in needed]
            tokenizer = [f"{folder}/tokenizer/tokenizer.json", f"{folder}/tokenizer/tokenizer_config.json"]
            self.add(
                "tokenizer", "train/tokenizer", [path for paths in texts.values() for path in paths] + words, tokenizer
            )
            given = self.plan.vector_languages if "vectors" in start.init else []
            inputs = [tokenizer[0], *(file for lang in given for file in self.store("aligned", lang))]
            self.add("initial_model", "train/initial", inputs, initial)
        else:
            self.add("pretrained_model", "train/initial", [], initial)
        if start.first:
            corpus = start.first.corpus
            files = self._trained_on(corpus, self.plan.train_pairs(corpus)[0])
            outputs = [f"{folder}/first/{file}" for file in RECORD]
            self.add("first_model", "train/first", [*files, *initial], outputs, **self._trained(corpus, "first"))
        if start.transplant:
            inputs = [f"{self.plan.start_folders[-2]}/{file}" for file in MODEL_FILES]
            languages = self.plan.lexicon_languages(start.transplant)
            inputs += [self.plan.lexicon_file(start.transplant, lang) for lang in languages]
            self.add("transplant", "train/transplant", inputs, [f"{folder}/transplanted/{file}" for file in STARTING])

    def _tokenizer_texts(self) -> dict[str, list[str]]:
        texts = dict(self.config.start.tokenizer.texts)
        for lang in self.plan.vector_languages:
            if lang not in texts and (given := self.plan.vector_source(lang).text):
                texts[lang] = given
        return texts

    def _trained(self, corpus: str, settings: str) -> dict[str, Any]:
        """How a training job is described: its corpus, the section of its settings, what it asks of the machine."""
        train = self.config.train
        asked = {"gpu": train.device == "cuda", "processes": train.processes}
        asked["threads"] = max(train.threads, train.processes)
        return {"kind": "train", "corpus": corpus, "settings": settings, **asked}

    def models(self) -> None:
        """The model of each system, training pair and seed."""
        last = self.plan.start_folders[-1]
        start = [f"{last}/{file}" for file in (MODEL_FILES if last.endswith("/first") else STARTING)]
        for system, pair in self.plan.models:
            corpus = str(self.config.systems[system].corpus)
            for seed in self.config.seeds:
                outputs = [f"{self.plan.model_folder(system, pair, seed)}/{file}" for file in RECORD]
                about = self._trained(corpus, "train") | {"system": system}
                inputs = [*self._trained_on(corpus, pair), *start]
                self.add("train_model", f"train/{system}-{pair}-seed{seed}", inputs, outputs, **about)

    def candidates(self) -> None:
        """Judgements and candidates of each test set and document language."""
        for testset, section in self.config.testsets.items():
            judged = self.plan.judged_languages(testset)
            folder = self.tables(section.collection)
            every = [
                self.source,
                *judged,
                *self.plan.document_languages(testset),
                *self.config.mixed_languages(testset),
            ]
            for lang in dict.fromkeys(lang for lang in every if lang != MIXED):
                inputs = [f"{folder}/judgements-test-{other}.parquet" for other in judged]
                about: dict[str, Any] = {"testset": testset, "lang": lang}
                output = self.plan.judgements(testset, lang)
                self.add("judgements", f"rank/judgements-{testset}-{lang}", inputs, [output], **about)
                asked, searched = self.plan.first_stage(testset, lang)
                inputs = [f"{folder}/queries-test-{asked}.parquet", f"{folder}/documents-{searched}.parquet", output]
                inputs += [*self.vocabulary(searched), *([section.candidates.run] if section.candidates.run else [])]
                label, output = f"rank/candidates-{testset}-{lang}", self.plan.candidates(testset, lang)
                self.add("candidates", label, inputs, [output], **about)

    def pools(self) -> None:
        """Mixed pools."""
        for testset, section in self.config.testsets.items():
            if not section.mixed:
                continue
            languages, folder = self.config.mixed_languages(testset), f"{self.R}/pools/{testset}"
            inputs = [f"{self.tables(section.collection)}/queries-test-{lang}.parquet" for lang in languages]
            outputs = [f"{folder}/queries.parquet", f"{folder}/queries-draw.parquet"]
            self.add("pool_queries", f"rank/pool-queries-{testset}", inputs, outputs, testset=testset)
            inputs = [self.plan.texts(testset, "documents", lang) for lang in languages]
            inputs += [self.plan.judgements(testset, lang) for lang in self.plan.judged_languages(testset)]
            outputs = [f"{folder}/documents.parquet", f"{folder}/documents-draw.parquet"]
            outputs += [self.plan.judgements(testset, MIXED)]
            if section.pool == "every":
                inputs += [self.plan.candidates(testset, lang) for lang in languages]
                outputs += [self.plan.candidates(testset, MIXED)]
            self.add(
                _identifier("pool", testset), f"rank/pool-{testset}", inputs, outputs, kind="pool", testset=testset
            )

    def _texts(self, testset: str, pairs: Sequence[Pair], translate: str | None = None) -> list[str]:
        """What ranking pairs reads."""
        files = []
        for pair in pairs:
            files += [self.plan.texts(testset, "queries", pair.query, translate)]
            files += [self.plan.texts(testset, "documents", pair.document, translate)]
            files += [self.plan.candidates(testset, pair.document)]
        return files

    def runs(self) -> None:
        """Runs of the references and of each model."""
        for testset, pairs in self.plan.pairs.items():
            for reference in self.config.evaluate.references:
                tested = {lang for pair in pairs for lang in (pair.query, pair.document)}
                cut = [lang for lang in self.config.languages.unspaced if lang in tested and reference == "bm25"]
                inputs = [*self._texts(testset, pairs), *self.vocabulary(*cut)]
                outputs = [self.plan.run_file(reference, testset, pair.id, self.config.seeds[0]) for pair in pairs]
                rule = _identifier("rank", reference, testset)
                about: dict[str, Any] = {"testset": testset, "pairs": pairs}
                self.add(rule, f"rank/{reference}-{testset}", inputs, outputs, kind=reference, **about)
            for ranker in self.plan.rankers:
                ranked = self.plan.ranked_pairs(ranker, testset)
                for seed in self.config.seeds if ranked else []:
                    model = self.plan.model_folder(ranker.trained, ranker.train_pair, seed)
                    inputs = [f"{model}/{file}" for file in MODEL_FILES]
                    inputs += self._texts(testset, ranked, ranker.translate)
                    outputs = [self.plan.run_file(ranker.system, testset, pair.id, seed) for pair in ranked]
                    label = f"rank/{ranker.system}-{ranker.train_pair}-{testset}-seed{seed}"
                    rule = _identifier("rank", ranker.system, ranker.train_pair, testset)
                    self.add(rule, label, inputs, outputs, **self._ranking(testset, ranked, ranker.system))

    def _ranking(self, testset: str, pairs: Sequence[Pair], system: str) -> dict[str, Any]:
        asked = {"threads": self.config.rank.threads, "gpu": self.config.train.device == "cuda"}
        return {"kind": "rank", "testset": testset, "pairs": pairs, "system": system, **asked}

    def run_files(self, testset: str) -> list[str]:
        """Every run of a test set."""
        return [self.plan.run_file(run.system, testset, run.pair.id, run.seed) for run in self.plan.runs(testset)]

    def scores(self) -> None:
        """Scores per query, then the tables."""
        for testset in self.config.testsets:
            judged = [self.plan.judgements(testset, lang) for lang in self.plan.document_languages(testset)]
            inputs = [*self.run_files(testset), *judged]
            output = f"{self.R}/evaluate/{testset}.parquet"
            self.add("score_runs", f"evaluate/{testset}", inputs, [output], testset=testset)
        names = ("metrics.csv", "per_query.parquet", "significance.csv", "effects.csv")
        inputs = [f"{self.R}/evaluate/{testset}.parquet" for testset in self.config.testsets]
        self.add("tables", "evaluate/tables", inputs, [f"{self.R}/tables/{name}" for name in names])

    @property
    def shifted(self) -> list[str]:
        """Test sets that compare languages."""
        return [name for name in self.config.testsets if self.plan.compares_languages(name)]

    @property
    def switched_corpora(self) -> dict[str, list[str]]:
        """Training pairs of every corpus that a system trains on and words are switched in."""
        found: dict[str, list[str]] = {}
        for system, pair in self.plan.models:
            corpus = str(self.config.systems[system].corpus)
            if self.config.corpora[corpus].lexicon and pair not in found.setdefault(corpus, []):
                found[corpus].append(pair)
        return found

    def analyses(self) -> None:
        """The tables that tell why."""
        tables = f"{self.R}/tables"
        for testset in filter(self.plan.searched, self.config.testsets):
            output = f"{self.R}/evaluate/first-stage/{testset}.parquet"
            inputs = self._searched(testset)
            self.add("first_stage", f"evaluate/first-stage-{testset}", inputs, [output], testset=testset)
        for name, inputs in {
            "bias": self._bias(),
            "sweep": self._sweep(),
            "overlap": self._overlap(),
            "shift": self._shift(),
            "exposure": self._exposure(),
            "testsets": self._testsets(),
            "coverage": self._coverage(),
            "warnings": self._warnings(tables),
        }.items():
            outputs = [name, *(["first_stage"] if name == "testsets" else [])]
            self.add(name, f"evaluate/{name}", inputs, [f"{tables}/{output}.csv" for output in outputs])

    def _warnings(self, tables: str) -> list[str]:
        read = ["per_query.parquet", "testsets.csv", *(["coverage.csv"] if self.switched_corpora else [])]
        return [f"{tables}/{name}" for name in read]

    def _bias(self) -> list[str]:
        chance = f"{self.R}/runs/random/"
        files = [
            run for testset in self.config.testsets for run in self.run_files(testset) if not run.startswith(chance)
        ]
        for name, section in self.config.testsets.items():
            if section.mixed:
                files += [f"{self.R}/pools/{name}/{kind}-draw.parquet" for kind in ("documents", "queries")]
                files += [self.plan.judgements(name, MIXED)] if section.pool == "every" else []
        return files

    def _sweep(self) -> list[str]:
        files = [f"{self.R}/tables/metrics.csv"]
        files += [f"{self.R}/tables/lexicon_quality.csv"] if self.judged_lexicons else []
        for point in self.plan.sweep_points:
            corpus = str(self.config.systems[point.system].corpus)
            files += [self._corpus_files(corpus, pair)[2] for pair in self.plan.train_pairs(corpus)]
        return files

    def _overlap(self) -> list[str]:
        files = [f"{self.R}/tables/per_query.parquet", *self.vocabulary(*self.config.languages.unspaced)]
        for testset, section in self.config.testsets.items():
            for pair in [] if section.mixed else self.plan.pairs[testset]:
                files += [self.plan.texts(testset, "queries", pair.query)]
                files += [self.plan.texts(testset, "documents", pair.document)]
                files += [self.plan.judgements(testset, pair.document)]
        return files

    def _shift(self) -> list[str]:
        references = tuple(f"{self.R}/runs/{name}/" for name in self.config.evaluate.references)
        files = [run for testset in self.shifted for run in self.run_files(testset) if not run.startswith(references)]
        for testset in self.shifted:
            files += [self.plan.judgements(testset, lang) for lang in self.plan.document_languages(testset)]
        return files

    def _searched(self, testset: str) -> list[str]:
        pairs = self.plan.pairs[testset]
        tested = {lang for pair in pairs for lang in (pair.query, pair.document)}
        source = self.config.languages.source
        cut = [lang for lang in self.config.languages.unspaced if lang in tested | {source}]
        files = [*self._texts(testset, pairs), *self.vocabulary(*cut)]
        files += [self.plan.judgements(testset, lang) for lang in self.plan.document_languages(testset)]
        for lexicon, translated in self.plan.lexicon_pairs(testset).items():
            files += self._texts(testset, translated, lexicon)
        return files

    def _exposure(self) -> list[str]:
        files = []
        learnt = {str(self.config.systems[system].corpus) for system, _ in self.plan.models}
        learnt |= {self.config.start.first.corpus} if self.config.start.first else set()
        for collection in dict.fromkeys(self.config.corpora[corpus].collection for corpus in sorted(learnt)):
            documents = f"{self.tables(collection)}/documents-{self.config.languages.source}.parquet"
            files += [f"{self.R}/instances/{collection}/train.parquet", documents]
        for testset, section in self.config.testsets.items():
            drawn = section.mixed and section.pool == "drawn"
            for lang in self.config.mixed_languages(testset) or self.plan.document_languages(testset):
                judged = self.config.languages.source if drawn else lang
                files += [self.plan.texts(testset, "documents", lang), self.plan.judgements(testset, judged)]
                files += [] if section.candidates.every else [self.plan.candidates(testset, judged)]
        return files

    def _testsets(self) -> list[str]:
        searched = filter(self.plan.searched, self.config.testsets)
        files = [f"{self.R}/evaluate/first-stage/{testset}.parquet" for testset in searched]
        for testset, section in self.config.testsets.items():
            for lang in self.plan.document_languages(testset):
                files += [self.plan.texts(testset, "documents", lang), self.plan.judgements(testset, lang)]
                files += [] if section.candidates.every else [self.plan.candidates(testset, lang)]
        return files

    def _coverage(self) -> list[str]:
        files = []
        for corpus, pairs in self.switched_corpora.items():
            for pair in pairs:
                for lang in self.plan.corpus_languages(corpus, pair):
                    files += [self._corpus_files(corpus, pair)[2]]
                    files += [self.plan.lexicon_file(str(self.config.corpora[corpus].lexicon), lang)]
                    files += [*self.vocabulary(lang), *self._tested_texts(lang)]
        return files

    def _tested_texts(self, language: str) -> list[str]:
        files = []
        for testset, section in self.config.testsets.items():
            mixed = language in self.config.mixed_languages(testset)
            name = MIXED if mixed else language
            judged = [self.plan.judgements(testset, lang) for lang in self.plan.document_languages(testset)]
            wanted = [] if section.candidates.every else [self.plan.candidates(testset, name)]
            for side, kind, chosen in (("query", "queries", judged), ("document", "documents", wanted)):
                if any(getattr(pair, side) == name for pair in self.plan.pairs[testset]):
                    files += [self.plan.texts(testset, kind, name), *chosen]
                    files += [f"{self.R}/pools/{testset}/{kind}-draw.parquet"] if mixed else []
        return files

    def labelled(self) -> None:
        """Samples of labelled queries, and what is trained on."""
        section = self.config.ablation
        for row in self.plan.ablation:
            if section is None or not row.examples:
                continue
            setting = f"{row.language}-n{row.examples}-seed{row.seed}"
            folder = f"{self.R}/ablation/{setting}"
            if any(job.log == f"{self.R}/logs/ablation/queries-{setting}.log" for job in self.made):
                continue
            parts = list(self.plan.labelled(row.language).values())
            tested = self.tables(self.config.testsets[section.testset].collection)
            inputs = [*parts, self.plan.texts(section.testset, "queries", row.language)]
            inputs.append(f"{tested}/judgements-test-{row.language}.parquet")
            for trained in self.plan.trained_on(row.language):
                inputs += self.plan.training_tables(trained).values()
            sides = ["", "held-out-"] if section.held_out else [""]
            samples = [f"{folder}/{side}queries.parquet" for side in sides]
            instances = [f"{folder}/{side}instances.parquet" for side in sides]
            self.add("labelled_queries", f"ablation/queries-{setting}", inputs, [*samples, f"{folder}/overlap.json"])
            read = [*parts, *samples, *self.vocabulary(row.language)]
            self.add("labelled_instances", f"ablation/instances-{setting}", read, instances)
            outputs = [f"{folder}/{name}" for name in ("train-00000.parquet", "stats.json")]
            outputs += [f"{folder}/dev.parquet"] if section.held_out else []
            self.add("labelled_corpus", f"ablation/corpus-{setting}", [*instances, *samples, parts[2]], outputs)

    def tuned(self) -> None:
        """Tuned models, their runs, the tables of the ablation."""
        section = self.config.ablation
        runs: list[str] = []
        if section is None:
            return
        for row in self.plan.ablation:
            runs += self.plan.row_runs(row).values()
            model = str(self.plan.start_of(row))
            if row.examples:
                folder = f"{self.R}/ablation/{row.language}-n{row.examples}-seed{row.seed}"
                inputs = [f"{folder}/train-00000.parquet", *([f"{folder}/dev.parquet"] if section.held_out else [])]
                inputs += [f"{model}/{file}" for file in MODEL_FILES]
                model = f"{self.R}/ablation/models/{row.id}"
                about = self._trained("", "ablation") | {"row": row}
                self.add(
                    "tuned_model", f"ablation/train-{row.id}", inputs, [f"{model}/{file}" for file in RECORD], **about
                )
            if not self.plan.shares_runs(row):
                pairs = self.plan.tested_pairs(row)
                inputs = [*(f"{model}/{file}" for file in MODEL_FILES), *self._texts(section.testset, pairs)]
                rule = _identifier("rank_row", row.id.replace(".", "_"))
                about = self._ranking(section.testset, pairs, row.start)
                self.add(rule, f"ablation/rank-{row.id}", inputs, self.plan.row_runs(row).values(), **about)
        judged = [self.plan.judgements(section.testset, lang) for lang in self.plan.document_languages(section.testset)]
        scores = f"{self.R}/evaluate/ablation.parquet"
        about = {"ablated": section.testset, "runs": len(runs)}
        self.add("score_rows", "ablation/score", [*runs, *judged], [scores], kind="score_runs", **about)
        names = ("ablation", "ablation_curve", "equivalence")
        tuned = [f"{self.R}/ablation/models/{row.id}/train.json" for row in self.plan.ablation if row.examples]
        self.add(
            "ablation_tables", "ablation/tables", [scores, *tuned], [f"{self.R}/tables/{name}.csv" for name in names]
        )

    def _picture(self, rule: str, name: str, inputs: Iterable[str], outputs: Iterable[str]) -> None:
        files = [f"{self.R}/report/{output}" for output in outputs]
        self.add(rule, f"report/{name}", inputs, files, kind="picture", timed=False)

    def pictures(self) -> None:
        """The pictures of the report."""
        tables = f"{self.R}/tables"
        metrics, significance = f"{tables}/metrics.csv", f"{tables}/significance.csv"
        for testset in self.config.testsets:
            inputs = [metrics, f"{tables}/per_query.parquet", significance]
            self._picture("mrr_picture", f"mrr-{testset}", inputs, [f"mrr-{testset}.svg", f"mrr-{testset}.csv"])
            for system in self.config.systems:
                name = f"gain-{testset}-{system}"
                self._picture("gain_picture", name, [metrics, significance], [f"{name}.svg"])
        self._picture("lexicon_picture", "lexicon", [f"{tables}/lexicon_quality.csv"], ["lexicon-quality.svg"])
        folders = [self.plan.model_folder(*model, seed) for model in self.plan.models for seed in self.config.seeds]
        self._picture("loss_picture", "loss", [f"{folder}/train.json" for folder in folders], ["loss.svg"])
        self._sentences()
        for table, testset in self._experiment:
            inputs = [f"{tables}/{table}.csv"]
            if table == "ablation":
                inputs += [f"{tables}/ablation_curve.csv", f"{tables}/equivalence.csv"]
            name = f"{table}-{testset}"
            self._picture(f"{table}_picture", name, inputs, [f"{name}.svg", f"{name}.csv"])
        for table in self._tables_made:
            self._picture("table_page", table, [f"{tables}/{table}.csv"], [f"{table}.html", f"{table}.tsv"])

    @property
    def _english(self) -> list[str]:
        return [name for name, section in self.config.corpora.items() if section.lexicon is None]

    @property
    def _examples(self) -> list[tuple[str, str]]:
        english = self._english
        base = self.config.corpora[english[0]].collection if english else None
        return [
            (name, self.plan.train_pairs(name)[0])
            for name, section in self.config.corpora.items()
            if section.lexicon and section.collection == base and self.plan.train_pairs(name)
        ]

    def _sentences(self) -> None:
        english = [(name, f"{self.source}-{self.source}") for name in self._english[:1]]
        inputs = self.plan.shown_files([*english, *self._examples])
        for corpus, pair in self._examples:
            lexicon = str(self.config.corpora[corpus].lexicon)
            inputs += [self.plan.lexicon_file(lexicon, lang) for lang in self.plan.corpus_languages(corpus, pair)]
        self._picture("sentences", "sentences", inputs, ["switched-sentences.html"])

    @property
    def _experiment(self) -> list[tuple[str, str]]:
        """The pictures of the experiment's tables, each with its test set."""
        mixed = {name: bool(section.mixed) for name, section in self.config.testsets.items()}
        shown = [("overlap", name) for name in mixed if not mixed[name]]
        shown += [("shift", name) for name in self.shifted]
        shown += [("bias", name) for name in mixed if mixed[name]]
        shown += [("sweep", name) for name in mixed if self.config.sweeps]
        return shown + ([("ablation", self.config.ablation.testset)] if self.config.ablation else [])

    @property
    def _tables_made(self) -> list[str]:
        extra = {
            "shift": self.shifted,
            "lexicon_quality": self.judged_lexicons,
            "coverage": self.switched_corpora,
            "sweep": self.config.sweeps,
            **dict.fromkeys(("ablation", "ablation_curve", "equivalence"), self.plan.ablation),
        }
        always = [
            "warnings",
            "testsets",
            "first_stage",
            "exposure",
            "metrics",
            "significance",
            "effects",
            "bias",
            "overlap",
        ]
        return [*always, *(name for name, needed in extra.items() if needed)]

    def report(self) -> None:
        """The report and the provenance."""
        folder = f"{self.R}/report"
        items = [f"{folder}/mrr-{testset}.svg" for testset in self.config.testsets]
        for testset in self.config.testsets:
            ranked = {run.system for run in self.plan.runs(testset)} - {self.config.evaluate.baseline}
            items += [f"{folder}/gain-{testset}-{name}.svg" for name in self.plan.main_systems if name in ranked]
        items += [f"{folder}/{table}-{testset}.svg" for table, testset in self._experiment]
        items += [f"{folder}/{table}.html" for table in self._tables_made]
        items += [f"{folder}/loss.svg"]
        items += [f"{folder}/lexicon-quality.svg"] if self.judged_lexicons else []
        items += [f"{folder}/switched-sentences.html"] if self._examples else []
        self.add("report_zip", "report/zip", items, [f"{self.R}/report.zip"], timed=False)
        self.add("provenance", "provenance", items, [f"{self.R}/provenance.json"], timed=False)
