"""Every key of a config file, typed and described. The JSON schema and the key reference are generated from here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from switchrank.collections.sections import Collection
from switchrank.config.sections import (
    Count,
    Distinct,
    Language,
    LanguageList,
    Name,
    OpenShare,
    Section,
    Seed,
    Share,
    Whole,
)
from switchrank.config.training import Train, Tuning, Warmup
from switchrank.core.limits import LARGEST
from switchrank.files.addresses import parse_address, placeholders
from switchrank.formats.pairs import DictionaryFormat
from switchrank.search.choices import EXACT, Criterion, SearchKind
from switchrank.sources.world.files import DEFAULTS as WORLD

MAIN_METRIC = "mrr@10"
"""What is tested against the baseline and drawn."""
TitleFormat = Literal["dumps", "pages-articles", "wikidata", "wikidata-labels", "linguatools", "wikititles", "cldr"]


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


class VectorTraining(Section):
    dim: Count = Field(100, description="dimensions of the fastText vectors")
    epochs: Count = Field(5, description="passes over the text")
    window: Count = Field(5, description="context words on each side")
    min_count: Count = Field(5, description="rarer words get no vector")
    max_words: Count | None = Field(None, description="keep the most frequent words only")
    threshold: Annotated[float, Field(gt=0)] = Field(1.0e-4, description="subsampling of frequent words")
    seed: Seed = Field(1, description="seed of the training")


class Alignment(Section):
    seed_pairs: str = Field(
        "identical",
        description="the name of a lexicon of titles or a dictionary, `identical`, or a dictionary path with `{lang}`",
    )
    refinements: Whole = Field(3, description="rounds of Procrustes refinement")
    criterion: Criterion = Field("csls", description="which neighbours refine the alignment")


class VectorSource(Section):
    text: Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="text to train fastText on, one sentence a line, or pages-articles dumps (`.xml`, `.xml.bz2`)",
    )
    path: str | None = Field(
        None, description="vectors, told by content: fastText (text or .bin), word2vec, GloVe, MUSE; packed or not"
    )
    extra_words: str | None = Field(
        None, description="words, one a line, that get vectors from their parts where a fastText .bin has none for them"
    )
    aligned: bool = Field(False, description="already in the space of the source language")
    max_words: Count | None = Field(None, description="read the first words of `path` only")

    @model_validator(mode="after")
    def _one(self) -> VectorSource:
        if (self.text is None) == (self.path is None):
            raise ValueError("give either text (to train on) or path (to read)")
        if self.extra_words and self.path is None:
            raise ValueError("extra_words come with path: vectors that are trained here know their own words")
        return self


class Vectors(Section):
    languages: dict[Language, VectorSource] = Field(description="where each language's vectors come from")
    training: VectorTraining = Field(VectorTraining(), description="fastText settings")
    alignment: Alignment = Field(Alignment(), description="how vectors are turned into the source language's space")


class VectorsLexicon(Section):
    kind: Literal["vectors"]
    criterion: Criterion = Field("csls", description="cosine or CSLS")
    k: Count = Field(1, description="translations kept per word")
    csls_k: Count = Field(10, description="neighbours in the CSLS correction")
    threshold: float | None = Field(None, description="smallest score kept")
    mutual: bool = Field(False, description="keep only pairs that are each other's best")
    max_source: Count | None = Field(None, description="most frequent source words used")
    max_target: Count | None = Field(None, description="most frequent target words used")
    raw_dot: bool = Field(False, description="compatibility: vectors keep their lengths (criterion nn only)")
    search: SearchKind = Field(
        EXACT.kind,
        description="`ivf`, by cells, and `hnsw`, by a graph, are approximate: their recall is measured and stored",
    )
    probes: Count = Field(EXACT.probes, description="ivf: cells of target words that a source word is compared with")
    cells: Count | None = Field(
        EXACT.cells, description="ivf: number of cells; default: the square root of eight times the words"
    )
    links: Annotated[int, Field(ge=2, le=LARGEST)] = Field(
        EXACT.links, description="hnsw: neighbours that a word is linked to (M); more for better recall"
    )
    ef_construction: Count = Field(EXACT.ef_construction, description="hnsw: candidates while the graph is built")
    ef_search: Count = Field(EXACT.ef_search, description="hnsw: candidates while it is searched")
    languages: Distinct[Language] | None = Field(None, description="target languages; default: seen languages")


class TitlesLexicon(Section):
    kind: Literal["titles"]
    format: TitleFormat = Field(
        "dumps",
        description="what links the titles: page and langlinks dumps; `[[xx:Title]]` in a pages-articles XML of either "
        "language (until 2013); sitelinks or labels of a Wikidata JSON dump; wikititles XML of linguatools; two "
        "columns as WMT's WikiTitles; CLDR names",
    )
    page: str | None = Field(None, description="dumps: page.sql.gz of the source language's Wikipedia")
    langlinks: str | None = Field(None, description="dumps: langlinks.sql.gz of the same day")
    columns: dict[Literal["page", "langlinks"], list[str]] = Field(
        {}, description="dumps without CREATE TABLE and of no known layout: all columns of each table in their order"
    )
    path: str | Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="other formats: the file, or its parts; `{lang}` stands for the target language, `{source}` for "
        "the source language; cldr: a file for each language, `{lang}` stands for both",
    )
    target_first: bool = Field(False, description="wikititles: the target language is in the first column")
    drop: Distinct[Literal["equal", "colon", "number", "script"]] = Field(
        [],
        description="pairs left out: equal titles, a colon in one, one without letters, one without any letter of its "
        "language's script",
    )
    codes: dict[Language, str] = Field(
        {}, description="how the files write a language where it is not its code, such as `nb: no`"
    )
    max_words: Count = Field(3, description="longest title kept, in words")
    onesided_titles: bool = Field(False, description="compatibility: clean the target title only, as the original did")
    languages: Distinct[Language] | None = Field(None, description="target languages; default: seen languages")

    @model_validator(mode="after")
    def _one(self) -> TitlesLexicon:
        if self.format == "dumps" and not (self.page and self.langlinks and self.path is None):
            raise ValueError("format dumps without both dumps: give page and langlinks, and no path")
        if self.format != "dumps" and (self.path is None or self.page or self.langlinks or self.columns):
            raise ValueError(f"format {self.format} is read from path: give path alone, no page, langlinks or columns")
        if self.target_first and self.format != "wikititles":
            raise ValueError("target_first goes with format wikititles: leave it out")
        return self

    def code(self, language: str) -> str:
        """The name of a language in the files."""
        return self.codes.get(language, language)

    def files(self, source: str, language: str) -> list[str]:
        """The files of a pair of languages, in the order their reader takes them."""
        if self.format == "dumps":
            return [str(self.page), str(self.langlinks)]
        names = {"source": self.code(source), "lang": self.code(language)}
        sides = [names | {"lang": names["source"]}, names] if self.format == "cldr" else [names]
        return [template.format(**side) for template in listed(self.path) for side in sides]


class DictionaryFile(Section):
    path: str | list[str] = Field(
        description="the file; panlex: two, source language first; `{lang}` stands for the target language"
    )
    format: DictionaryFormat = Field(
        "auto",
        description="`text`: a pair a line, tab or space between (MUSE, XLing-Eval); `tsv`: with columns; `tei`: "
        "FreeDict; `panlex`: Swadesh lists; `auto`: by content",
    )
    columns: list[int | str] = Field(
        [], description="tsv: the columns of source and target, by number from 1 or by name in the first line"
    )
    reverse: bool = Field(False, description="the file translates from the target to the source language")

    def files(self, language: str) -> list[str]:
        """The files, their placeholder filled in."""
        return [template.format(lang=language) for template in listed(self.path)]

    def reading(self) -> dict[str, Any]:
        """How to read the files, as :func:`switchrank.formats.pairs.read_pairs` takes it."""
        return {"format": self.format, "columns": self.columns, "reverse": self.reverse}


class DictionaryLexicon(DictionaryFile):
    kind: Literal["dictionary"]
    codes: dict[Language, str] = Field(
        {}, description="what `{lang}` becomes for a language where it is not its code, such as `sw: swh`"
    )
    languages: Distinct[Language] | None = Field(None, description="target languages; default: seen languages")

    def files(self, language: str) -> list[str]:
        """The files of a target language."""
        return super().files(self.codes.get(language, language))


def listed(paths: str | list[str] | None) -> list[str]:
    """The paths of a key that takes one or a list."""
    return [paths] if isinstance(paths, str) else paths or []


class DegradedLexicon(Section):
    kind: Literal["degraded"]
    of: Name = Field(description="the lexicon to make worse")
    share: Share = Field(description="share of its source words that get another word's translations")
    seed: Seed = Field(1, description="seed of the choice")
    languages: Distinct[Language] | None = Field(None, description="target languages; default: seen languages")


class MergedLexicon(Section):
    kind: Literal["merged"]
    of: Distinct[Name] = Field(
        description="lexicons to put together: a word has the translations of the first, then those of the next",
        min_length=1,
    )
    languages: Distinct[Language] | None = Field(None, description="target languages; default: seen languages")


Lexicon = Annotated[
    VectorsLexicon | TitlesLexicon | DictionaryLexicon | DegradedLexicon | MergedLexicon, Field(discriminator="kind")
]


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


class Translation(Section):
    translate: Name = Field(description="lexicon of kind vectors: test texts go word by word into the source language")


class System(Section):
    corpus: Name | None = Field(None, description="the corpus it is trained on")
    model: Name | None = Field(None, description="instead: the system whose models it uses")
    test: Translation | None = Field(None, description="Translate-Test, with `model`")

    @model_validator(mode="after")
    def _one(self) -> System:
        if (self.corpus is None) == (self.model is None):
            raise ValueError("give either corpus (to train on) or model (another system's)")
        if (self.model is None) != (self.test is None):
            raise ValueError("model and test go together: a system that only tests another's models says how")
        return self


class Sweep(Section):
    system: Name = Field(description="the system whose corpus or lexicon is varied")
    key: str = Field(
        description="`p`, `lexicon` or another key of its corpus, `lexicon.criterion` or another of its lexicon, or "
        "`lexicon.degrade`: share of source words that get another word's translations"
    )
    values: list[bool | int | float | str] = Field(description="one system is made for each", min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Sweep:
        again = [value for place, value in enumerate(self.values) if value in self.values[:place]]
        if again:
            raise ValueError(f"value {again[0]} twice: leave one out")
        return self


class Tokenizer(Section):
    # Five are special, and characters take half at most: from 11 on something is left for words.
    size: Annotated[int, Field(ge=11, le=LARGEST)] = Field(16_000, description="subword vocabulary")
    texts: dict[Language, Annotated[list[str], Field(min_length=1)]] = Field(
        {}, description="monolingual text per language; default: the text its vectors were trained on, else their words"
    )


class Start(Section):
    model: str | None = Field(None, description="a pretrained model: folder or hub name")
    preset: Literal["tiny", "small"] | None = Field(None, description="a small encoder from scratch")
    init: Distinct[Literal["mimetic", "vectors"]] = Field(
        ["mimetic"], description="mimetic: arXiv 2305.09828; vectors: word embeddings from the aligned vectors"
    )
    tokenizer: Tokenizer = Field(Tokenizer(), description="subword tokenizer of a model from scratch")
    seed: Seed = Field(1, description="seed of the initial weights")
    first: Warmup | None = Field(None, description="train on this before any system starts; all start from its result")
    transplant: Name | None = Field(
        None, description="lexicon: pieces of other languages start at the mean of their translations' embeddings"
    )

    @model_validator(mode="after")
    def _one(self) -> Start:
        if (self.model is None) == (self.preset is None):
            raise ValueError("give either model (pretrained) or preset (from scratch)")
        return self


class Candidates(Section):
    bm25: Count | None = Field(None, description="this many documents by BM25")
    run: str | None = Field(None, description="a TREC run; the same for every pair")
    every: bool = Field(False, alias="all", description="all documents")
    query_language: Literal["source", "document"] | Language = Field(
        "source",
        description="BM25 on source-language text with ids kept (as published), in the document language, or with the "
        "queries of a language named on documents of another",
    )
    relevant: Literal["keep", "add"] = Field("keep", description="`add` puts missing relevant documents in")

    @model_validator(mode="after")
    def _one(self) -> Candidates:
        if (self.bm25 is not None) + (self.run is not None) + self.every != 1:
            raise ValueError("give exactly one of bm25, run, all")
        return self


class Testset(Section):
    collection: Name = Field(description="a collection with a test split")
    pairs: str | None = Field(
        None, description="TSV: id, query, document, own_model (yes: pair-wise systems train for it)"
    )
    mixed: Literal["seen", "all"] | LanguageList | None = Field(
        None, description="instead of pairs: mixed pools en-xx, xx-en, xx-xx over the source and these languages"
    )
    pool: Literal["drawn", "every"] = Field(
        "drawn",
        description="mixed: one language drawn per document (as published), or every document in every language",
    )
    seed: Seed = Field(0, description="mixed: seed of the draws per document and per query")
    candidates: Candidates = Field(description="what is re-ranked")
    queries: Count | None = Field(None, description="a seeded sample of the test queries, the same in every pair")
    documents: Literal["parallel", "own"] = Field(
        "parallel", description="parallel: ids mean the same in all languages; own: each language has its own ids"
    )

    @model_validator(mode="after")
    def _one(self) -> Testset:
        if (self.pairs is None) == (self.mixed is None):
            raise ValueError("give either pairs (a table) or mixed (languages of a pool)")
        if self.mixed and self.pool == "drawn" and self.documents == "own":
            raise ValueError("a language is drawn per document, and these are not parallel: write pool: every")
        return self


class Rank(Section):
    token_budget: Count = Field(16_384, description="padded tokens per batch")
    threads: Count = Field(1, description="CPU threads per ranking job")
    sigmoid_scores: bool = Field(False, description="compatibility: scores are probabilities, ties included")
    depth: Count | None = Field(
        None,
        description="documents of a query that its run file keeps, the best ones; default: every candidate. What lies "
        "below counts as not found in map, recall and the tables of bias and shift",
    )


class Evaluate(Section):
    metrics: Distinct[Literal["mrr@10", "ndcg@10", "map", "recall@100"]] = Field(
        ["mrr@10", "ndcg@10", "map", "recall@100"],
        description="measures, values 0 to 1, mrr@10 among them: it is what is tested and drawn",
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


class Ablation(Section):
    rows: str = Field(description="TSV: id, start (`none` or a system), language, examples (labelled queries), seed")
    collection: Name | dict[Language, Name] = Field(
        description="where labelled queries come from: a collection with that language among its train_languages, or a "
        "collection in that language alone; one for all or one per language. One that systems are trained on sets "
        "`labels` aside"
    )
    testset: Name = Field(description="the test set; its pairs of the language and the source language are tested")
    held_out: OpenShare = Field(
        0.0,
        description="share of a row's labelled queries that are not tuned on: development scores are over their lists, "
        "and with `keep: best` they choose the epoch",
    )
    train: Tuning = Field(Tuning(), description="how a starting model is tuned")
    reference: Name = Field("ml-cs", description="without any labelled query, what the equivalence measures against")
    compared: Distinct[Name] = Field(["zero-shot"], description="starts whose worth is told in labelled queries")

    @model_validator(mode="after")
    def _judged(self) -> Ablation:
        if self.train.keep == "best" and not self.held_out:
            raise ValueError("keep: best without held-out labels: set held_out, such as 0.25, or write keep: last")
        return self


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
    train: Train
    testsets: dict[Name, Testset]
    rank: Rank = Rank()
    evaluate: Evaluate = Evaluate()

    def gold_file(self, name: str, pair: str) -> DictionaryFile:
        """A gold dictionary, however short it is written."""
        given = self.gold[name][pair]
        return DictionaryFile(path=given) if isinstance(given, str) else given

    def mixed_languages(self, testset: str) -> list[str]:
        """Languages of a mixed pool, the source first; none where the test set is not mixed."""
        chosen = self.testsets[testset].mixed
        if chosen is None:
            return []
        named = {"seen": self.languages.seen, "all": [*self.languages.seen, *self.languages.unseen]}
        return list(dict.fromkeys([self.languages.source, *(named[chosen] if isinstance(chosen, str) else chosen)]))
