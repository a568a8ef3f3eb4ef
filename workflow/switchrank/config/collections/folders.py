"""Collections whose folder says it all: the files have the names that their makers gave them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from switchrank.config.collections.base import BySplit, CollectionSection, Template, found, of_split, several
from switchrank.config.sections import Distinct, Language, LanguageList, Split
from switchrank.mmarco import FIRST_VERSION, MMARCO_NAMES

Splits = Distinct[Split] | dict[Split, str]
_TEST: Splits = ["test"]
_DEV: Splits = {"test": "dev"}
_TEST1: Splits = {"test": "test1"}
_SPLITS = "which splits it has, or what its files call each: `{train: train, test: dev}`"


class Mmarco(CollectionSection):
    format: Literal["mmarco"]
    folder: str = Field(description="copy of the dataset unicamp-dl/mmarco: `data/google`, `data/helsinki`")
    version: Literal["v1", "v2"] = Field("v2", description="`v2`: Google's translation; `v1`: Helsinki's, 8 languages")
    languages: LanguageList = Field(description="languages of the collection")
    splits: Distinct[Split] = Field(["train", "test"], description="which splits it has")
    train_languages: Distinct[Language] = Field([], description="further languages to read the training queries in")
    judgements: BySplit | None = Field(
        None, description="qrels; default: `data/qrels.train.tsv` and `data/qrels.dev.small.tsv` in the folder"
    )
    triples: str | None = Field(None, description="TSV qid, positive, negative; else BM25 hard negatives")

    def roles(self, source: str) -> dict[str, str]:
        """Files by role, under the names of the dataset."""
        data = f"{self.folder.rstrip('/')}/data"
        texts = f"{data}/{'google' if self.version == 'v2' else 'helsinki'}"
        folders = {"train": ("train", "train"), "test": ("dev", "dev.small")}
        usual = {"train": f"{data}/qrels.train.tsv", "test": f"{data}/qrels.dev.small.tsv"}
        files = {
            f"documents/{lang}": f"{texts}/collections/{MMARCO_NAMES[lang]}_collection.tsv" for lang in self.languages
        }
        for split in self.splits:
            folder, part = folders[split]
            for lang in self.questions(source, split):
                files[f"queries/{split}/{lang}"] = f"{texts}/queries/{folder}/{MMARCO_NAMES[lang]}_queries.{part}.tsv"
            files[f"judgements/{split}"] = of_split(self.judgements or usual, split)
        return files | ({"triples/train": self.triples} if self.triples else {})

    @model_validator(mode="after")
    def _translated(self) -> Mmarco:
        known = MMARCO_NAMES if self.version == "v2" else FIRST_VERSION
        strangers = [lang for lang in self.languages if lang not in known]
        if strangers:
            raise ValueError(f"mMARCO {self.version} has no {strangers[0]}: it has {', '.join(known)}")
        if isinstance(self.judgements, dict) and set(self.judgements) != set(self.splits):
            raise ValueError(f"judgements for {', '.join(self.judgements)}: give one path for each split")
        return self


class OneLanguage(CollectionSection):
    """Documents of one language, and queries that belong to them alone."""

    language: Language = Field(description="language of the documents")
    splits: Splits = Field(_TEST, description=_SPLITS)

    @property
    def languages(self) -> list[str]:
        """The one language of the documents."""
        return [self.language]

    @property
    def train_languages(self) -> list[str]:
        """Training queries are in one language."""
        return []

    def named(self, split: str) -> str:
        """What the files call a split."""
        names = self.splits.items() if isinstance(self.splits, dict) else ()
        return next((name for key, name in names if key == split), split)

    def files(self, split: str, lang: str) -> tuple[str, str]:
        """The files of a split's queries in a language, and of its judgements."""
        raise NotImplementedError

    def document_files(self) -> list[str]:
        """The files, or the folder, of the documents."""
        raise NotImplementedError

    def roles(self, source: str) -> dict[str, str]:
        """Files by role."""
        files = several(f"documents/{self.language}", self.document_files())
        for split in self.splits:
            for lang in self.questions(source, split):
                queries, judgements = self.files(split, lang)
                files |= {f"queries/{split}/{lang}": queries, f"judgements/{split}": judgements}
        return files


class Miracl(OneLanguage):
    format: Literal["miracl"]
    folder: str = Field(
        description="holds `miracl-v1.0-<language>/topics` and `qrels` (dataset miracl/miracl), or `topics` and `qrels`"
    )
    documents: str | list[str] | None = Field(
        None, description="folder of docs-*.jsonl.gz, or the files; default: `miracl-corpus-v1.0-<language>` beside"
    )
    splits: Splits = Field(_DEV, description=_SPLITS)

    def files(self, split: str, lang: str) -> tuple[str, str]:
        """Topics and qrels."""
        name = f"miracl-v1.0-{self.language}"
        topics = self._file(f"topics/topics.{name}-{self.named(split)}.tsv")
        return topics, self._file(f"qrels/qrels.{name}-{self.named(split)}.tsv")

    def _file(self, name: str) -> str:
        """A file in the folder of the language, or in one that all languages share, where only that is on disk."""
        folder = self.folder.rstrip("/")
        own, shared = found(f"{folder}/miracl-v1.0-{self.language}/{name}"), found(f"{folder}/{name}")
        return shared if Path(shared).is_file() and not Path(own).is_file() else own

    def document_files(self) -> list[str]:
        """The corpus."""
        given = self.documents or f"{self.folder.rstrip('/')}/miracl-corpus-v1.0-{self.language}"
        return [given] if isinstance(given, str) else given


class Ciral(OneLanguage):
    format: Literal["ciral"]
    folder: str = Field(description="holds `topics/topics.ciral-v1.0-<language>-<split>.tsv`, `qrels/qrels....tsv`")
    documents: str | list[str] = Field(description="JSONL docid, title, text; a folder of them, or the files")
    query_languages: LanguageList = Field(
        ["en"], min_length=1, description="`en`, and the documents' language for the `-native` topics"
    )
    splits: Splits = Field(_DEV, description=_SPLITS + ", `{test: test-a}`")

    def files(self, split: str, lang: str) -> tuple[str, str]:
        """Topics and qrels."""
        name = f"ciral-v1.0-{self.language}-{self.named(split)}"
        native = "-native" if lang == self.language else ""
        folder = self.folder.rstrip("/")
        return found(f"{folder}/topics/topics.{name}{native}.tsv"), found(f"{folder}/qrels/qrels.{name}.tsv")

    def document_files(self) -> list[str]:
        """The passages."""
        return [self.documents] if isinstance(self.documents, str) else self.documents

    @model_validator(mode="after")
    def _asked(self) -> Ciral:
        strangers = [lang for lang in self.query_languages if lang not in ("en", self.language)]
        if strangers or "train" in self.splits:
            raise ValueError(f"CIRAL asks in en and in {self.language}, and has no training split: correct it")
        return self


class Mldr(OneLanguage):
    format: Literal["mldr"]
    folder: str = Field(description="holds `mldr-v1.0-<language>/corpus.jsonl.gz` and `<split>.jsonl.gz` (Shitao/MLDR)")

    def files(self, split: str, lang: str) -> tuple[str, str]:
        """One file holds queries and judgements."""
        file = self._file(self.named(split))
        return file, file

    def document_files(self) -> list[str]:
        """The corpus."""
        return [self._file("corpus")]

    def _file(self, name: str) -> str:
        return found(f"{self.folder.rstrip('/')}/mldr-v1.0-{self.language}/{name}.jsonl")


class Beir(OneLanguage):
    format: Literal["beir"]
    folder: str = Field(description="holds `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv`")

    def files(self, split: str, lang: str) -> tuple[str, str]:
        """All queries are in one file."""
        folder = self.folder.rstrip("/")
        return found(f"{folder}/queries.jsonl"), found(f"{folder}/qrels/{self.named(split)}.tsv")

    def document_files(self) -> list[str]:
        """The corpus."""
        return [found(f"{self.folder.rstrip('/')}/corpus.jsonl")]


class ClirMatrix(OneLanguage):
    format: Literal["clirmatrix"]
    query_language: Language = Field(description="language of the queries")
    lists: str = Field(
        description="JSONL src_id, src_query, tgt_results of this pair, with `{split}`, `{query}` and `{document}`"
    )
    documents: str = Field(description="TSV id, text of the document language (`docs/<language>.tsv.gz`)")
    splits: Splits = Field(_TEST1, description=_SPLITS)

    @property
    def query_languages(self) -> list[str]:
        """The one language of the queries."""
        return [self.query_language]

    @property
    def templates(self) -> list[Template]:
        """The lists."""
        return [Template("lists", self.lists, ("split", "query", "document"))]

    def files(self, split: str, lang: str) -> tuple[str, str]:
        """One file holds queries and judgements."""
        sides = {"query": self.query_language, "document": self.language}
        file = self.lists.format(split=self.named(split), **sides)
        return file, file

    def document_files(self) -> list[str]:
        """The documents."""
        return [self.documents]

    @model_validator(mode="after")
    def _only_test(self) -> ClirMatrix:
        if "train" in self.splits:
            raise ValueError("training queries are not in the documents' language: declare a test split only")
        return self


class LargeScaleClir(OneLanguage):
    format: Literal["large-scale-clir"]
    folder: str = Field(description="holds `english/wiki_en.queries`, `<name>/wiki_<language>.documents` and `.rel`")
    name: str = Field(description="what the folder calls the language, such as `swahili`")
    query: Literal["title", "first_sentence"] = Field("first_sentence", description="what is asked")
    splits: Splits = Field(_TEST, description="all queries are test queries")

    @property
    def query_languages(self) -> list[str]:
        """Queries are English."""
        return ["en"]

    def files(self, split: str, lang: str) -> tuple[str, str]:
        """Queries of all document languages, judgements of this one."""
        folder = self.folder.rstrip("/")
        judgements = f"{folder}/{self.name}/en2{self.language}.rel"
        return found(f"{folder}/english/wiki_en.queries"), found(judgements)

    def document_files(self) -> list[str]:
        """The documents."""
        return [found(f"{self.folder.rstrip('/')}/{self.name}/wiki_{self.language}.documents")]

    def options(self) -> dict[str, Any]:
        """The column of the query."""
        return {"queries": {"text": ["2" if self.query == "title" else "3"]}}

    @model_validator(mode="after")
    def _only_test(self) -> LargeScaleClir:
        if list(self.splits) != ["test"]:
            raise ValueError("queries are English and documents are not: declare a test split only")
        return self
