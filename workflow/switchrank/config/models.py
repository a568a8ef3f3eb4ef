"""Every key of a config file, typed and described. The JSON schema and the key reference are generated from here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from switchrank.collections.sections import Collection
from switchrank.config.lexicons import DictionaryFile, Lexicon
from switchrank.config.sections import Count, Distinct, Language, Name, Section, Seed, Share, Whole
from switchrank.config.systems import Ablation, Changes, FirstWeights, NamedStart, Start, Sweep, System
from switchrank.config.testsets import Evaluate, Rank, Testset
from switchrank.config.training import Train
from switchrank.config.vectors import Vectors
from switchrank.files.addresses import parse_address, placeholders
from switchrank.sources.world.files import DEFAULTS as WORLD


class Languages(Section):
    source: Language = Field("en", description="language of the training data")
    seen: Distinct[Language] = Field(description="languages that code-switching may use")
    unseen: Distinct[Language] = Field([], description="languages that are only tested on")
    unspaced: Distinct[Language] = Field(
        [], description="languages written without spaces; words are cut by longest match over their vectors"
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
    def _apart(self) -> Languages:
        both = sorted({self.source, *self.seen} & set(self.unseen))
        if both:
            raise ValueError(f"{', '.join(both)} both seen and unseen: list each language once")
        strangers = sorted({*self.unspaced, *self.segmenters, *self.right_to_left} - set(self.every))
        if strangers:
            raise ValueError(f"unknown language {', '.join(strangers)}: list it under seen or unseen")
        return self

    @property
    def longest_match(self) -> list[str]:
        """Languages whose words are cut by longest match over their vectors."""
        return [language for language in self.unspaced if language not in self.segmenters]


class World(Section):
    seed: Seed = Field(WORLD["seed"], description="seed of the made-up world")
    themes: Annotated[int, Field(ge=2)] = Field(WORLD["themes"], description="themes of the word list in use")
    sentences: Count = Field(WORLD["sentences"], description="sentences of monolingual text per language")
    train_queries: Count = Field(WORLD["train_queries"], description="training queries")
    test_queries: Count = Field(WORLD["test_queries"], description="test queries, parallel in all languages")
    train_distractors: Whole = Field(
        WORLD["train_distractors"],
        description="passages beside each relevant training one that speak of the same things",
    )
    test_distractors: Whole = Field(WORLD["test_distractors"], description="the same for each relevant test passage")
    designs: dict[Language, Literal["qaa", "qab", "qac", "qad"]] = Field(
        WORLD["designs"],
        description="codes of any kind and the invented language each is made after: its letters and grammar, words of "
        "its own; the code lends its name only (qab runs right to left, qac has no spaces)",
    )
    layout: Literal["plain", "mmarco"] = Field(
        WORLD["layout"],
        description="files under world/msmarco/, or under world/mmarco/ as MS MARCO and mMARCO have them",
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

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        parse_address(url)
        return url

    @model_validator(mode="after")
    def _one_file(self) -> Download:
        if self.sha256 and placeholders(self.url):
            raise ValueError("one checksum for several files: give each file its own")
        return self


class Corpus(Section):
    collection: Name = Field(alias="from", description="the collection whose training split is used")
    lexicon: Name | None = Field(None, description="the lexicon to switch with; none leaves the text as it is")
    languages: Literal["seen", "pair"] | Distinct[Language] = Field(
        "seen", description="`seen` or a list: one multilingual corpus; `pair`: one bilingual corpus per pair"
    )
    parallel: bool = Field(
        False, description="no switching: the collection's own text in both languages of a pair (its train_languages)"
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
    def _compatible(self) -> Corpus:
        if self.substring_replace and (self.p < 1 or self.treebank or self.mix != "instance"):
            raise ValueError("substring_replace knows no draw: set p: 1.0, mix: instance, and no treebank")
        if self.parallel and self.lexicon:
            raise ValueError("parallel text is not switched: leave out lexicon or parallel")
        if self.parallel and self.materialise is not True:
            raise ValueError("parallel text is not switched, on the fly neither: leave out materialise or parallel")
        return self

    @property
    def bilingual(self) -> bool:
        """Whether there is one corpus, and so one model, per language pair."""
        return self.parallel or (self.lexicon is not None and self.languages == "pair")


class Config(Section):
    run: Name = Field(description="name of the run: everything is written under results/<run>/")
    seeds: Distinct[Seed] = Field([1], min_length=1, description="one model per system, pair and seed")
    languages: Languages
    world: World | None = Field(None, description="generate the made-up world under results/<run>/world/")
    downloads: dict[str, Download] = Field(
        {}, description="files that are fetched when an input needs them: path, and `url` with an optional `sha256`"
    )
    collections: dict[Name, Collection]
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
    testsets: dict[Name, Testset]
    rank: Rank = Rank()
    evaluate: Evaluate = Evaluate()

    def gold_file(self, name: str, pair: str) -> DictionaryFile:
        """A gold dictionary, however short it is written."""
        given = self.gold[name][pair]
        return DictionaryFile(path=given) if isinstance(given, str) else given

    @property
    def with_models(self) -> list[str]:
        """The systems that have models of their own: trained here, or finished."""
        return [name for name, system in self.systems.items() if not system.uses]

    @property
    def outside_models(self) -> dict[str, str]:
        """The models that come from elsewhere, folders and hub names, by the key that names each."""
        starts: dict[str, FirstWeights] = {"start": self.start} | {
            f"starts.{name}": s for name, s in self.starts.items()
        }
        found = {f"{place}.model": start.model for place, start in starts.items() if start.model}
        return found | {f"systems.{name}.model": str(s.model) for name, s in self.systems.items() if s.is_finished}

    def training(self, changes: Changes) -> Train:
        """How a system or a start is trained: as the run's ``train`` says, but for what it says itself."""
        return self.train.model_copy(update={key: getattr(changes, key) for key in changes.model_fields_set})

    def mixed_languages(self, testset: str) -> list[str]:
        """Languages of a mixed pool, the source first; none where the test set is not mixed."""
        chosen = self.testsets[testset].mixed
        if chosen is None:
            return []
        named = {"seen": self.languages.seen, "all": [*self.languages.seen, *self.languages.unseen]}
        return list(dict.fromkeys([self.languages.source, *(named[chosen] if isinstance(chosen, str) else chosen)]))
