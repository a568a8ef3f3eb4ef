"""What sections of collections are made of: the keys that formats share, and what the plan and the rules ask."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from switchrank.collections.mmarco.names import MMARCO_NAMES
from switchrank.collections.spec import CollectionSpec, check_separate
from switchrank.config.sections import (
    Count,
    DevShare,
    Distinct,
    Language,
    LanguageList,
    Name,
    OpenShare,
    Section,
    Share,
    Split,
    listed,
)

BySplit = str | dict[str, str]
"""A path for all splits, or one for each."""
Splits = Distinct[Split] | dict[Split, str]
"""The splits, or what the files call each."""
TEST: Splits = ["test"]
TEST_IS_DEV: Splits = {"test": "dev"}
SPLITS = "which splits it has, or what its files call each: `{train: train, test: dev}`"
PAIR = re.compile(r"[a-z]{2,3}-[a-z]{2,3}")
"""A query and a document language, such as ``de-en``."""


class Instances(Section):
    negatives: Count = Field(4, description="negatives per positive")
    pool: Count = Field(100, description="BM25 depth from which hard negatives are drawn")
    random_negatives: Share = Field(0.0, description="share of negatives drawn from the whole collection instead")
    rounds: Count = Field(1, description="how often each positive is taken, each time with fresh negatives")
    limit: Count | None = Field(
        None, description="training instances kept, the first ones; default: all. The development set is not cut"
    )
    dev_negatives: Count = Field(19, description="negatives per positive in the development set")


class Exclusion(Section):
    questions_of: Name = Field(
        description="another collection: its questions are left out, by id, with the documents that answer them; of a "
        "sentence, all of its paragraph"
    )


Template = tuple[str, str, tuple[str, ...]]
"""A path of the config: the key it stands at, the text, and the placeholders it may hold."""


class CollectionSection(Section):
    """One collection. A format adds ``format``, its files, and the properties declared below."""

    dev: DevShare = Field(0.1, description="share of training queries cut off for development, by whole groups")
    labels: OpenShare = Field(
        0.0,
        description="share of training queries set aside, by whole groups, as labelled queries of the ablation: no "
        "system trains on them or on passages that answer them as such",
    )
    instances: Instances = Field(Instances(), description="how training pairs are made")
    exclude: Exclusion | None = Field(None, description="what is left out because a test set holds it")
    max_skipped: Share = Field(
        0.1,
        description="largest share of a file's rows that may be left out: empty, incomplete or of an unknown document; "
        "above it a run stops",
    )

    if TYPE_CHECKING:

        @property
        def format(self) -> str:
            """The tag of the section."""

        @property
        def languages(self) -> Sequence[str]:
            """Languages of the documents."""

        @property
        def splits(self) -> Collection[str]:
            """The splits it has, or the names they go by in its files."""

        @property
        def train_languages(self) -> Sequence[str]:
            """Languages besides the source that training queries exist in."""

    @property
    def test_languages(self) -> list[str]:
        """Query languages of the test split: the ``query_languages`` of the section, or those of the documents."""
        return list(getattr(self, "query_languages", None) or self.languages)

    @property
    def brings_triples(self) -> bool:
        """Whether the data says which negatives to train on."""
        return bool(getattr(self, "triples", None))

    @property
    def templates(self) -> list[Template]:
        """Paths whose placeholders are checked before they are filled in."""
        found: list[Template] = []
        for key, known in self.placeholders().items():
            paths = self.paths(key)
            given = paths.values() if isinstance(paths, dict) else listed(paths)
            found += [(key, path, known) for path in given]
        return found

    def placeholders(self) -> dict[str, tuple[str, ...]]:
        """What may stand in the paths of each key that holds some."""
        return {}

    def paths(self, key: str) -> Any:
        """The path at a key as the config has it: one, a list, or by split."""
        given = getattr(self, key, None)
        return given.path if isinstance(given, Columns) else given

    def roles(self, source: str) -> dict[str, str]:
        """Input files by role, such as ``documents/en``; a second file of a role is called ``documents/en+1``."""
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """Settings of the reader, as plain JSON values."""
        return {}

    def check(self, source: str) -> CollectionSpec:
        """Its specification; UserError for what the sources stage would refuse of it."""
        return CollectionSpec.from_plain(self.spec(source))

    def training_language(self, source: str) -> str:
        """The language of the training queries: the run's source, or that of a collection in another language alone."""
        return source if source in self.languages else self.languages[0]

    def questions(self, source: str, split: str) -> list[str]:
        """Languages that a split has queries in."""
        return self.test_languages if split == "test" else [self.training_language(source), *self.train_languages]

    def spec(self, source: str) -> dict[str, Any]:
        """The plain form of :class:`switchrank.collections.spec.CollectionSpec`."""
        return {
            "format": self.format,
            "languages": list(self.languages),
            "asked_in": self.test_languages,
            "splits": list(self.splits),
            "dev": self.dev,
            "labels": self.labels,
            "source": self.training_language(source),
            "triples": self.brings_triples,
            "train_languages": list(self.train_languages),
            "seed": 1,
            "max_skipped": self.max_skipped,
            "excluding": self.exclude.questions_of if self.exclude else "",
            "options": self.options(),
        }


class Untranslated(CollectionSection):
    """Its training queries are in one language."""

    @property
    def train_languages(self) -> list[str]:
        return []


class Answered(CollectionSection):
    """Questions with answers, asked about a passage."""

    relevance: Literal["gold", "answer"] = Field(
        "gold",
        description="`gold`: the passage or sentence that the question was asked about; `answer`: every document that "
        "holds one of its answers, word for word",
    )


class Tables(CollectionSection):
    """Documents, queries and judgements are files of their own."""

    def files_of(self, table: str, split: str = "", lang: str = "") -> Sequence[str]:
        """The files of a table; judgements are asked for with the first query language of their split."""
        raise NotImplementedError

    def check(self, source: str) -> CollectionSpec:
        spec = super().check(source)
        check_separate(spec, self.roles(source))
        return spec

    def roles(self, source: str) -> dict[str, str]:
        files = {f"documents/{lang}": self.files_of("documents", lang=lang) for lang in self.languages}
        for split in self.splits:
            asked = self.questions(source, split)
            files |= {f"queries/{split}/{lang}": self.files_of("queries", split, lang) for lang in asked}
            files[f"judgements/{split}"] = self.files_of("judgements", split, asked[0])
        files["triples/train"], files["groups"] = (listed(getattr(self, key, None)) for key in ("triples", "groups"))
        numbered = [(f"{role}+{number}", path) for role, paths in files.items() for number, path in enumerate(paths)]
        return {role.removesuffix("+0"): path for role, path in numbered}

    @model_validator(mode="after")
    def _each_split_once(self) -> Self:
        for key in ("queries", "judgements"):
            paths = self.paths(key)
            if isinstance(paths, dict) and set(paths) != set(self.splits):
                found = ", ".join(paths) or "no split"
                raise ValueError(f"{key} for {found}: give one path for each of {', '.join(self.splits)}")
        return self


class OneLanguage(Tables, Untranslated):
    """Documents of one language, and queries that belong to them alone; a folder says the rest."""

    PATHS: ClassVar[dict[str, tuple[str, ...]]]
    """By table where its file may lie, with keys of the section, ``split`` and ``native`` in braces."""

    language: Language = Field(description="language of the documents")
    splits: Splits = Field(TEST, description=SPLITS)

    @property
    def languages(self) -> list[str]:
        return [self.language]

    def named(self, split: str) -> str:
        names = {str(key): name for key, name in self.splits.items()} if isinstance(self.splits, dict) else {}
        return names.get(split, split)

    def files_of(self, table: str, split: str = "", lang: str = "") -> Sequence[str]:
        """The file, or folder, of a table of a split in a language: of those that it may be, the one that is there."""
        if table == "documents" and (given := listed(getattr(self, "documents", None))):
            return given
        known = {key: str(value).rstrip("/") for key, value in vars(self).items()}
        named = known | {"split": self.named(split), "native": "-native" if lang == self.language else ""}
        paths = [_on_disk(path.format(**named)) for path in self.PATHS[table]]
        return [next((path for path in paths if Path(path).is_file()), paths[0])]


Column = Annotated[str | int, AfterValidator(str)]
"""A column by its name or number; readers call it by a string either way."""


class Columns(Section):
    """Which columns of a table hold what."""

    path: BySplit = Field(description="the file or folder; placeholders as in format msmarco, or one path per split")

    def shape(self) -> dict[str, Any]:
        return self.plain("path")


class TextColumns(Columns):
    id: Column = Field(description="column of the id: its name in the header, or its number from 1")
    text: Annotated[Column | list[Column], AfterValidator(listed)] = Field(
        description="column of the text; of several, joined by a space"
    )


def _one_path(documents: TextColumns) -> TextColumns:
    if isinstance(documents.path, dict):
        raise ValueError("documents.path for each split: all splits have the same documents, give one path")
    return documents


DocumentColumns = Annotated[TextColumns, AfterValidator(_one_path)]


class JudgementColumns(Columns):
    query: Column = Field(description="column of the query id")
    document: Column = Field(description="column of the document id")
    relevance: Column | None = Field(None, description="column of the relevance; without it every row is relevant")


class Separate(Tables):
    """Each file is named in the config, by a path that may hold placeholders."""

    languages: LanguageList = Field(description="languages of the documents")
    query_languages: LanguageList | None = Field(
        None, description="languages of the test queries where they are not those of the documents"
    )
    splits: Distinct[Split] = Field(["train", "test"], description="which splits it has")
    train_languages: Distinct[Language] = Field(
        [], description="further languages that training queries exist in (translations, same ids)"
    )
    triples: str | None = Field(None, description="TSV qid, positive, negative for training; else BM25 hard negatives")
    groups: str | None = Field(None, description="TSV docid, topic: the development cut keeps topics together")

    def files_of(self, table: str, split: str = "", lang: str = "") -> list[str]:
        paths, codes = self.paths(table), getattr(self, "codes", {})
        given = listed(paths[split] if isinstance(paths, dict) else paths)
        return [filled(path, lang, split, codes.get(lang, lang)) for path in given]

    def placeholders(self) -> dict[str, tuple[str, ...]]:
        return {"documents": ("lang", "name"), "queries": ("split", "lang", "name"), "judgements": ("split",)}


class Mapped(Separate):
    """Tables whose columns the config names."""

    documents: DocumentColumns = Field(description="where the documents are: path, id, text")
    queries: TextColumns = Field(description="where the queries are: path, id, text")
    judgements: JudgementColumns = Field(description="where the judgements are: path, query, document, relevance")

    def options(self) -> dict[str, Any]:
        return {table: getattr(self, table).shape() for table in ("documents", "queries", "judgements")}


def filled(template: str, language: str = "", split: str = "", code: str = "") -> str:
    """A path with its placeholders filled in; ``code`` is what the files call the language."""
    return template.format(lang=language, name=MMARCO_NAMES.get(language, language), split=split, code=code)


def _on_disk(path: str) -> str:
    packed = [f"{path}{suffix}" for suffix in (".gz", ".xz", ".bz2") if Path(f"{path}{suffix}").is_file()]
    return path if Path(path).exists() or not packed else packed[0]
