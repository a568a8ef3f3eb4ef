"""Every key of a config file, typed and described. The JSON schema and the key reference are generated from here."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from switchrank.collections.sections import Collection
from switchrank.config.bitext import Bitext
from switchrank.config.lexicons import DictionaryFile, EncoderLexicon, Lexicon, Vectors, VectorSource
from switchrank.config.sections import Count, Distinct, Language, LanguageList, Name, Section, Seed, Share, Whole
from switchrank.config.systems import (
    CROSS,
    DUAL,
    OWN_START,
    RUN_KEYS,
    Ablation,
    Architecture,
    Changes,
    Dual,
    Extension,
    Late,
    NamedStart,
    Start,
    Sweep,
    System,
    Train,
    Training,
)
from switchrank.files.addresses import filled, is_address, parse_address, placeholders
from switchrank.formats.measures import USUAL_BIAS, Averaged, BiasMeasure, Metric
from switchrank.sources.world.files import DEFAULTS as WORLD

MAIN_METRIC = "mrr@10"
"""What is tested against the baseline and drawn."""


class Candidates(Section):
    bm25: Count | None = Field(None, description="this many documents by BM25")
    run: str | None = Field(None, description="a TREC run for every pair, or with `{query}` and `{document}` one each")
    system: Name | None = Field(
        None, description="so many documents (`depth`) by a system of this run that embeds queries and documents apart"
    )
    depth: Count = Field(100, description="with `system`: documents per query")
    every: bool = Field(False, alias="all", description="all documents")
    query_language: Literal["source", "document"] | Language = Field(
        "source",
        description="BM25 on source-language text with ids kept (as published), in the document language, or with the "
        "queries of a language named on documents of another",
    )
    relevant: Literal["keep", "add"] = Field("keep", description="`add` puts missing relevant documents in")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.bm25 is not None) + (self.run is not None) + (self.system is not None) + self.every != 1:
            raise ValueError("give exactly one of bm25, run, all, system")
        self._refuse(() if self.system else {"depth"}, "without system", "leave it out")
        return self

    def run_file(self, query: str, document: str) -> str:
        """The run that a pair of languages has its candidates from."""
        return filled(str(self.run), {"query": query, "document": document})

    @property
    def by_pair(self) -> bool:
        """Whether pairs with the same document language may have different candidates."""
        return self.system is not None or "query" in placeholders(self.run or "")


class Testset(Section):
    collection: Name = Field(description="a collection with a test split")
    pairs: str | Annotated[Distinct[Name], Field(min_length=1)] | None = Field(
        None,
        description="TSV: id, query, document, own_model (yes: pair-wise systems have one); or a list of pairs such as "
        "[de-en, en-en], for which they have none",
    )
    mixed: Literal["seen", "all"] | LanguageList | None = Field(
        None, description="instead of pairs: mixed pools en-xx, xx-en, xx-xx over the source and these languages"
    )
    pool: Literal["drawn", "every"] = Field(
        "drawn", description="mixed: a language drawn per document (as published), or each document in every language"
    )
    asked: Literal["drawn", "every"] = Field(
        "drawn",
        description="mixed: queries in the source language and, once more, in a language drawn for each (as "
        "published); or every query in every language of the pool: pairs en-xx, de-xx, ...",
    )
    seed: Seed = Field(0, description="mixed: seed of the draws per document and per query")
    candidates: Candidates = Field(
        description="what is re-ranked; where that is all documents, dual encoders and late interaction search them"
    )
    systems: Annotated[Distinct[Name], Field(min_length=1)] | None = Field(
        None, description="systems and reference rows that rank it; default: all"
    )
    queries: Count | None = Field(None, description="a seeded sample of the test queries, the same in every pair")
    depth: Count | None = Field(None, description="`rank.depth` of this test set alone")
    documents: Literal["parallel", "own"] = Field(
        "parallel", description="parallel: ids mean the same in all languages; own: each language has its own ids"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.pairs is None) == (self.mixed is None):
            raise ValueError("give either pairs (a table) or mixed (languages of a pool)")
        if self.mixed and self.pool == "drawn" and self.documents == "own":
            raise ValueError("a language is drawn per document, and these are not parallel: write pool: every")
        self._refuse(() if self.mixed else {"asked"}, "without mixed", "leave it out")
        return self


class Rank(Section):
    token_budget: Count = Field(16_384, description="padded tokens per batch")
    threads: Count = Field(1, description="CPU threads of a job that ranks, or that encodes words")
    precision: Literal["fp32", "bf16", "auto"] = Field(
        "fp32",
        description="arithmetic of scoring; bf16 changes scores a little; auto: what the GPU or CPU computes faster, "
        "said in the log and in `rank/<system>-<testset>-seed<k>.json`",
    )
    sigmoid_scores: bool = Field(False, description="compatibility: scores are probabilities, ties included")
    depth: Count | None = Field(
        None,
        description="documents of a query that its run file keeps, the best ones; default: every candidate, or 1,000 "
        "where all documents are searched. What lies below counts as not found in map, recall and the "
        "tables of bias and shift",
    )


class Evaluate(Section):
    metrics: Distinct[Metric] = Field(
        ["mrr@10", "ndcg@10", "map", "recall@100"],
        description="measures, values 0 to 1, mrr@10 among them: it is what is tested and drawn",
    )
    bias: Distinct[BiasMeasure] = Field(
        list(USUAL_BIAS),
        min_length=1,
        description="measures of language bias in mixed pools, and of how alike a query is answered in several "
        "languages (`rankc`, `rank_correlation`); `max_rank` is Max@R",
    )
    setups: Distinct[Averaged] = Field(
        [],
        description="measures whose means over the language pairs of each setup (one language, two, mixed pools) are "
        "tabled and tested in `tables/setups.csv`; the first metric of them is drawn by query and document language",
    )
    baseline: Name = Field("zero-shot", description="the system every other is tested against")
    references: Distinct[Literal["random", "bm25"]] = Field(["random", "bm25"], description="reference rows")
    tests: Distinct[Literal["t", "fisher"]] = Field(
        ["t"],
        min_length=1,
        description="two-sided paired tests over queries: t-test, Fisher's randomisation; the first marks the report",
    )
    correction: Literal["holm", "bonferroni", "none"] = Field("holm", description="for multiple tests")
    families: Literal["setup", "testset", "run"] = Field(
        "setup", description="what is corrected together: a setup of a test set, a test set, or the whole run"
    )
    permutations: Count = Field(100_000, description="sign flips of the randomisation test")
    resamples: Count = Field(10_000, description="bootstrap resamples of an interval")
    alpha: Share = Field(0.05, description="level at which a corrected p counts as significant")


class Languages(Section):
    source: Language = Field("en", description="language of the training data")
    seen: Distinct[Language] = Field(description="languages that code-switching may use")
    unseen: Distinct[Language] = Field([], description="languages that are only tested on")
    unspaced: Distinct[Language] = Field(
        [], description="written without spaces: cut by longest match over their vectors"
    )
    segmenters: dict[Language, Literal["icu", "jieba", "sudachi"]] = Field(
        {}, description="languages written without spaces that a library cuts: `{zh: jieba, ja: sudachi, th: icu}`"
    )
    right_to_left: Distinct[Language] = Field([], description="languages written right to left (for the report)")

    @property
    def every(self) -> list[str]:
        """Source, seen and unseen languages, in this order, once each."""
        return list(dict.fromkeys([self.source, *self.seen, *self.unseen]))

    @model_validator(mode="after")
    def _apart(self) -> Self:
        both = sorted({self.source, *self.seen} & set(self.unseen))
        if both:
            raise ValueError(f"{', '.join(both)} both seen and unseen: list each language once")
        strangers = sorted({*self.unspaced, *self.segmenters, *self.right_to_left} - set(self.every))
        if strangers:
            raise ValueError(f"unknown language {', '.join(strangers)}: list it under seen or unseen")
        return self

    @property
    def longest_match(self) -> list[str]:
        return [language for language in self.unspaced if language not in self.segmenters]


class World(Section):
    seed: Seed = Field(WORLD["seed"], description="seed of the made-up world")
    themes: Annotated[int, Field(ge=2)] = Field(WORLD["themes"], description="themes of the word list in use")
    sentences: Count = Field(WORLD["sentences"], description="sentences of monolingual text per language")
    train_queries: Count = Field(WORLD["train_queries"], description="training queries")
    test_queries: Count = Field(WORLD["test_queries"], description="test queries, parallel in all languages")
    train_distractors: Whole = Field(
        WORLD["train_distractors"], description="passages beside each relevant training one, of the same things"
    )
    test_distractors: Whole = Field(WORLD["test_distractors"], description="the same for each relevant test passage")
    designs: dict[Language, Literal["qaa", "qab", "qac", "qad"]] = Field(
        WORLD["designs"],
        description="codes of any kind and the invented language each is made after: its letters and grammar, words of "
        "its own; the code lends its name only (qab runs right to left, qac has no spaces)",
    )
    layout: Literal["plain", "mmarco"] = Field(
        WORLD["layout"], description="files under world/msmarco/, or world/mmarco/ as MS MARCO and mMARCO have them"
    )
    triples: Count = Field(WORLD["triples"], description="layout mmarco: triples per training query")
    candidates: Count = Field(WORLD["candidates"], description="layout mmarco: BM25 passages per test query")
    vectors: Distinct[Language] = Field(
        WORLD["vectors"], description="languages with made-up aligned vectors, world/vectors/wiki.multi.<language>.vec"
    )


class Download(Section):
    url: str = Field(description="https:// or hf:// address of the file, `archive.zip!file` for one file of an archive")
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, description="checksum of what is fetched"
    )
    local: str | None = Field(
        None,
        description="a copy of the file, plain or packed, that is taken in place of the address where its variables "
        "are set and it is there, such as `${MY_DATA}/en.json.gz`",
    )

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        parse_address(url)
        return url

    @field_validator("local")
    @classmethod
    def _path(cls, local: str | None) -> str | None:
        if local and is_address(local):
            raise ValueError("a web address where the path of a copy is meant: write it as url")
        return local

    @model_validator(mode="after")
    def _one_file(self) -> Self:
        if self.sha256 and placeholders(self.url):
            raise ValueError("one checksum for several files: give each file its own")
        return self

    def plain(self, *leave_out: str) -> dict[str, Any]:
        """The section as plain JSON values; variables of a copy are not filled in, and without a copy none is named."""
        return super().plain(*leave_out, *([] if self.local else ["local"]))

    def filled_in(self, values: Mapping[str, str]) -> Self:
        """The download of one file, where placeholders stand for several."""
        named = {"url": filled(self.url, values), "local": filled(self.local, values) if self.local else None}
        return self.model_copy(update=named)


class Corpus(Section):
    collection: Name = Field(alias="from", description="the collection whose training split is used")
    lexicon: Name | None = Field(None, description="the lexicon to switch with; none leaves the text as it is")
    languages: Literal["seen", "pair", "each"] | Distinct[Language] = Field(
        "seen",
        description="`seen` or a list: one multilingual corpus; `pair`: one bilingual corpus per pair; `each`: a table "
        "for each seen language, which dual encoders and late interaction train on together. With `parallel`: a list "
        "has a table for each of its languages; otherwise there is a corpus per pair",
    )
    parallel: bool = Field(
        False, description="no switching: the collection's training text in these languages (train_languages)"
    )
    documents: Literal["parallel", "own"] = Field(
        "parallel",
        description="with `parallel`: ids of passages mean the same in all languages; or each language has its own, "
        "and passages that answer the same question are the same",
    )
    p: Share = Field(0.5, description="probability that a covered word is switched")
    mix: Literal["token", "instance"] = Field("token", description="language drawn per word or per side")
    drop_stopwords: bool = Field(False, description="never switch English stop words on their own")
    translations: Count = Field(1, description="draw among this many best translations")
    seed: Seed = Field(1, description="seed of the draws")
    treebank: bool = Field(False, description="compatibility: NLTK's Treebank tokens, detokenised, as the original")
    substring_replace: bool = Field(False, description="compatibility: title strings replaced even inside words")
    materialise: Literal[True, False, "sample"] = Field(
        True,
        description="whether the switched training texts are written; `false`: training switches them on the fly and "
        "sees the same ones; `sample`: the same, and the first 10,000 are written to look at",
    )

    @model_validator(mode="after")
    def _compatible(self) -> Self:
        if self.substring_replace and (self.p < 1 or self.treebank or self.mix != "instance"):
            raise ValueError("substring_replace knows no draw: set p: 1.0, mix: instance, and no treebank")
        if self.parallel and self.lexicon:
            raise ValueError("parallel text is not switched: leave out lexicon or parallel")
        if self.parallel and self.materialise is not True:
            raise ValueError("parallel text is not switched, on the fly neither: leave out materialise or parallel")
        if self.languages == "each" and not (self.parallel or self.lexicon):
            raise ValueError("languages: each without other languages: name a lexicon, or write parallel: true")
        self._refuse(() if self.parallel else {"documents"}, "without parallel", "leave it out")
        return self

    @property
    def by_language(self) -> bool:
        """Whether there is a table for each language, which one model is trained on together."""
        return self.languages == "each" or (self.parallel and isinstance(self.languages, list))

    @property
    def bilingual(self) -> bool:
        """Whether there is one corpus, and so one model, per language pair."""
        return not self.by_language and (self.parallel or (self.lexicon is not None and self.languages == "pair"))


class Config(Section):
    run: Name = Field(description="name of the run: everything is written under results/<run>/")
    seeds: Distinct[Seed] = Field([1], min_length=1, description="one model per system, pair and seed")
    languages: Languages
    world: World | None = Field(None, description="generate the made-up world under results/<run>/world/")
    downloads: dict[str, Download] = Field({}, description="files fetched when needed: path and `url`, maybe `sha256`")
    collections: dict[Name, Collection]
    bitext: dict[Name, Bitext] = Field({}, description="parallel texts, by name")
    vectors: Vectors | None = None
    lexicons: dict[Name, Lexicon] = Field({})
    gold: dict[Name, dict[Name, str | DictionaryFile]] = Field(
        {},
        description="gold dictionaries: name, then pair, then a path, or path, format, columns and reverse as a "
        "dictionary lexicon has them; only lexicon quality reads them",
    )
    corpora: dict[Name, Corpus]
    systems: dict[Name, System]
    sweeps: dict[Name, Sweep] = Field({}, description="settings varied one at a time, each value a system of its own")
    ablation: Ablation | None = Field(None, description="fine-tuning on labelled queries of the target language")
    start: Start
    starts: dict[Name, NamedStart] = Field({}, description="further starts, by name, beside `start`")
    train: Train
    dual: Dual = Field(Dual(), description="how dual encoders are trained, as `train` says it of cross-encoders")
    late: Late = Field(Late(), description="how late interaction is trained, likewise")
    testsets: dict[Name, Testset]
    rank: Rank = Rank()
    evaluate: Evaluate = Evaluate()

    def gold_file(self, name: str, pair: str) -> DictionaryFile:
        """A gold dictionary, given as a path or as a section."""
        given = self.gold[name][pair]
        return DictionaryFile(path=given) if isinstance(given, str) else given

    @property
    def vector_sources(self) -> dict[str, VectorSource]:
        return self.vectors.languages if self.vectors else {}

    @property
    def encoders(self) -> dict[str, EncoderLexicon]:
        """The lexicons that are induced from encoders."""
        return {name: one for name, one in self.lexicons.items() if isinstance(one, EncoderLexicon)}

    def targets(self, lexicon: Lexicon) -> list[str]:
        """Target languages of a lexicon."""
        return lexicon.languages or self.languages.seen

    def table_languages(self, corpus: Corpus) -> list[str]:
        """The languages of a corpus that has a table for each; those of unknown parts are left out."""
        if isinstance(corpus.languages, list):
            return corpus.languages
        if corpus.parallel:
            collection = self.collections.get(corpus.collection)
            return [self.languages.source, *(collection.train_languages if collection else [])]
        lexicon = self.lexicons.get(str(corpus.lexicon))
        return [one for one in self.languages.seen if lexicon and one in self.targets(lexicon)]

    def labelled_collection(self, language: str) -> str:
        """The collection that labelled queries of a language come from; empty where the ablation names none for it."""
        given = self.ablation.collection if self.ablation else ""
        return given if isinstance(given, str) else given.get(language, "")

    @property
    def with_models(self) -> list[str]:
        """The systems that have models of their own, trained here or finished."""
        return [name for name, system in self.systems.items() if not system.uses and not system.fuse]

    def architecture(self, name: str) -> Architecture:
        """The architecture of a system's models, its own or those that it uses; that of an unknown one is the usual."""
        system = self.systems.get(name)
        used = self.systems.get(system.uses or "", system) if system else None
        return used.architecture if used else CROSS

    def is_dual(self, name: str) -> bool:
        """Whether a system turns queries and documents into a vector each."""
        return self.architecture(name) == DUAL

    @property
    def every_start(self) -> dict[str, Start | NamedStart]:
        """The run's own start and the named ones, by the key of each."""
        return {"start": self.start} | {f"starts.{name}": start for name, start in self.starts.items()}

    def extended_languages(self, extension: Extension) -> list[str]:
        """The languages that get new pieces."""
        return extension.languages or [one for one in self.languages.every if one != self.languages.source]

    @property
    def outside_models(self) -> dict[str, str]:
        """The models that come from elsewhere, folders and hub names, by the key that names each."""
        found = {f"{place}.model": start.model for place, start in self.every_start.items() if start.model}
        for name, lexicon in self.encoders.items():
            if lexicon.model not in (OWN_START, *self.starts):
                found[f"lexicons.{name}.model"] = lexicon.model
        return found | {f"systems.{name}.model": str(s.model) for name, s in self.systems.items() if s.is_finished}

    def training(self, changes: Changes, architecture: Architecture = CROSS) -> Train | Dual | Late:
        """How a system or a start is trained: by what the run says of its architecture, with its own changes."""
        run: Train | Dual | Late = getattr(self, RUN_KEYS[architecture])
        return run.model_copy(update={key: getattr(changes, key) for key in changes.model_fields_set})

    def training_settings(self, section: Training) -> dict[str, Any]:
        """The settings on which the result of a training depends."""
        kept = section.plain("device", "processes", "corpus", "checkpoint_every")
        return kept | {"threads": self.train.threads}

    def world_spec(self) -> dict[str, Any]:
        """What the made-up world is generated from."""
        return self.world.plain() | {"languages": self.languages.every} if self.world else {}

    def mixed_languages(self, testset: str) -> list[str]:
        """Languages of a mixed pool, the source first; none where the test set is not mixed."""
        chosen = self.testsets[testset].mixed
        if chosen is None:
            return []
        named = {"seen": self.languages.seen, "all": [*self.languages.seen, *self.languages.unseen]}
        return list(dict.fromkeys([self.languages.source, *(named[chosen] if isinstance(chosen, str) else chosen)]))
