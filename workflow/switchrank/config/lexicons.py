"""The keys of word vectors and lexicons, one section a kind, and of dictionary files."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from switchrank.config.sections import Count, Distinct, Language, Name, Section, Seed, Share, Whole, listed
from switchrank.core.limits import LARGEST
from switchrank.formats.pairs import DictionaryFormat
from switchrank.search.choices import EXACT, Criterion, SearchKind


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
        "identical", description="a lexicon of titles or a dictionary by name, `identical`, or a path with `{lang}`"
    )
    refinements: Whole = Field(3, description="rounds of Procrustes refinement")
    criterion: Criterion = Field("csls", description="which neighbours refine the alignment")


class VectorSource(Section):
    text: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="text to train fastText on, a sentence a line, or pages-articles dumps (`.xml`, `.xml.bz2`)"
    )
    path: str | None = Field(
        None, description="vectors: fastText (text or .bin), word2vec, GloVe, MUSE, by content; packed or not"
    )
    extra_words: str | None = Field(
        None, description="words, one a line, that get vectors from their parts where a fastText .bin has none for them"
    )
    aligned: bool = Field(False, description="already in the space of the source language")
    max_words: Count | None = Field(None, description="read the first words of `path` only")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.text is None) == (self.path is None):
            raise ValueError("give either text (to train on) or path (to read)")
        if self.extra_words and self.path is None:
            raise ValueError("extra_words come with path: vectors that are trained here know their own words")
        return self


class Vectors(Section):
    languages: dict[Language, VectorSource] = Field(description="where each language's vectors come from")
    training: VectorTraining = Field(VectorTraining(), description="fastText settings")
    alignment: Alignment = Field(Alignment(), description="how vectors are turned into the source language's space")


TitleFormat = Literal["dumps", "pages-articles", "wikidata", "wikidata-labels", "linguatools", "wikititles", "cldr"]


class InducedLexicon(Section):
    kind: Literal["vectors", "encoder"]
    criterion: Criterion = Field("csls", description="by what words are near: `nn` is cosine; `csls` takes hubs down")
    k: Count = Field(1, description="translations kept per word")
    csls_k: Count = Field(10, description="neighbours in the CSLS correction")
    threshold: float | None = Field(None, description="smallest score kept")
    mutual: bool = Field(False, description="keep only pairs that are each other's best")
    max_source: Count | None = Field(None, description="most frequent source words used")
    max_target: Count | None = Field(None, description="most frequent target words used")
    raw_dot: bool = Field(False, description="compatibility: vectors keep their lengths (criterion nn only)")
    search: SearchKind = Field(
        EXACT.search, description="`ivf` (cells) and `hnsw` (a graph) are approximate: recall is measured and stored"
    )
    probes: Count = Field(EXACT.probes, description="ivf: cells of target words that a source word is compared with")
    cells: Count | None = Field(
        EXACT.cells, description="ivf: cells; default: the square root of eight times the words"
    )
    links: Annotated[int, Field(ge=2, le=LARGEST)] = Field(
        EXACT.links, description="hnsw: neighbours that a word is linked to (M); more for better recall"
    )
    ef_construction: Count = Field(EXACT.ef_construction, description="hnsw: candidates while the graph is built")
    ef_search: Count = Field(EXACT.ef_search, description="hnsw: candidates while it is searched")
    languages: Distinct[Language] | None = Field(None, description="target languages; default: seen languages")

    def choice(self) -> dict[str, Any]:
        """The settings of the search, as :class:`switchrank.search.choices.Choice` takes them."""
        return self.plain("kind", "languages", *(type(self).model_fields.keys() - InducedLexicon.model_fields.keys()))


class VectorsLexicon(InducedLexicon):
    kind: Literal["vectors"]


class EncoderLexicon(InducedLexicon):
    kind: Literal["encoder"]
    model: str = Field(
        description="the encoder: a start of this run by its name, one of `switchrank models`, a folder, or a hub name"
    )
    words: Literal["vectors", "texts"] | dict[Language, str] = Field(
        "texts",
        description="the words of each language: those of the run's `vectors`, or of the documents of its collections, "
        "the most frequent first; or a file for each language, a word a line (its first column), the most frequent "
        "first",
    )
    max_words: Count = Field(50_000, description="so many words of each language, the most frequent")

    @property
    def encoding(self) -> dict[str, Any]:
        """On what the vectors of its words depend."""
        return self.plain(*InducedLexicon.model_fields)


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
        {}, description="what the files call a language if not by its code, such as `nb: no`"
    )
    max_words: Count = Field(3, description="longest title kept, in words")
    onesided_titles: bool = Field(False, description="compatibility: clean the target title only, as the original did")
    languages: Distinct[Language] | None = Field(None, description="target languages; default: seen languages")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.format == "dumps" and not (self.page and self.langlinks and self.path is None):
            raise ValueError("format dumps without both dumps: give page and langlinks, and no path")
        if self.format != "dumps" and (self.path is None or self.page or self.langlinks or self.columns):
            raise ValueError(f"format {self.format} is read from path: give path alone, no page, langlinks or columns")
        if self.target_first and self.format != "wikititles":
            raise ValueError("target_first goes with format wikititles: leave it out")
        return self

    def code(self, language: str) -> str:
        return self.codes.get(language, language)

    def files(self, source: str, language: str) -> list[str]:
        """The files of a pair of languages, in the order in which they are read."""
        if self.format == "dumps":
            return [str(self.page), str(self.langlinks)]
        names = {"source": self.code(source), "lang": self.code(language)}
        sides = [names | {"lang": names["source"]}, names] if self.format == "cldr" else [names]
        return [template.format(**side) for template in listed(self.path) for side in sides]


class DictionaryFile(Section):
    path: str | list[str] = Field(description="the file; panlex: two, source first; `{lang}` is the target language")
    format: DictionaryFormat = Field(
        "auto",
        description="`text`: a pair a line, tab or space between (MUSE, XLing-Eval); `tsv`: with columns; `tei`: "
        "FreeDict; `panlex`: Swadesh lists; `psq`: probabilities in JSON, as Patapsco has them; `auto`: by content",
    )
    columns: list[int | str] = Field([], description="tsv: columns of source and target, by number from 1 or by name")
    reverse: bool = Field(False, description="the file translates from the target to the source language")

    def files(self, language: str) -> list[str]:
        """The files of a target language."""
        return [template.format(lang=language) for template in listed(self.path)]

    def reading(self) -> dict[str, Any]:
        """How to read the files, as :func:`switchrank.formats.pairs.read_pairs` takes it."""
        return {"format": self.format, "columns": self.columns, "reverse": self.reverse}


class DictionaryLexicon(DictionaryFile):
    kind: Literal["dictionary"]
    codes: dict[Language, str] = Field(
        {}, description="`{lang}` of a language where it is not its code, such as `sw: swh`"
    )
    languages: Distinct[Language] | None = Field(None, description="target languages; default: seen languages")

    def files(self, language: str) -> list[str]:
        return super().files(self.codes.get(language, language))


class DegradedLexicon(Section):
    kind: Literal["degraded"]
    of: Name = Field(description="the lexicon to make worse")
    share: Share = Field(description="share of its source words that get another word's translations")
    seed: Seed = Field(1, description="seed of the choice")
    languages: Distinct[Language] | None = Field(None, description="target languages; default: seen languages")


class MergedLexicon(Section):
    kind: Literal["merged"]
    of: Distinct[Name] = Field(
        description="lexicons put together: a word has the translations of the first, then of the next", min_length=1
    )
    languages: Distinct[Language] | None = Field(None, description="target languages; default: seen languages")


Lexicon = Annotated[
    VectorsLexicon | EncoderLexicon | TitlesLexicon | DictionaryLexicon | DegradedLexicon | MergedLexicon,
    Field(discriminator="kind"),
]
