"""Collections whose documents, queries and judgements are files of their own, each named in the config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, model_validator

from switchrank.config.collections.base import BySplit, CollectionSection, Template, filled, of_split, several
from switchrank.config.sections import Distinct, Language, LanguageList, Section, Split


class Columns(Section):
    """Which columns of a table hold what."""

    path: BySplit = Field(description="the file or folder; placeholders as in format msmarco, or one path per split")

    def names(self, *keys: str) -> list[str]:
        """The columns named by ``keys``, in order, as the reader calls them."""
        given = [getattr(self, key) for key in keys]
        flat = [
            name for value in given if value is not None for name in (value if isinstance(value, list) else [value])
        ]
        return [str(name) for name in flat]

    def shape(self) -> dict[str, Any]:
        """The reader's settings."""
        raise NotImplementedError


class TextColumns(Columns):
    id: str | int = Field(description="column of the id: its name in the header, or its number from 1")
    text: str | int | list[str | int] = Field(description="column of the text; of several, joined by a space")

    def shape(self) -> dict[str, Any]:
        """The reader's settings."""
        return {"kind": "records", "id": str(self.id), "text": self.names("text")}


class JudgementColumns(Columns):
    query: str | int = Field(description="column of the query id")
    document: str | int = Field(description="column of the document id")
    relevance: str | int | None = Field(None, description="column of the relevance; without it every row is relevant")

    def shape(self) -> dict[str, Any]:
        """The reader's settings."""
        relevance = None if self.relevance is None else str(self.relevance)
        return {"kind": "records", "query": str(self.query), "document": str(self.document), "relevance": relevance}


class Separate(CollectionSection):
    """Shared by the formats of this module: languages, splits and training files."""

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

    def document_paths(self) -> Sequence[str]:
        """Templates of a language's documents."""
        given = getattr(self, "documents", None)
        return [given] if isinstance(given, str) else given or []

    def path_of(self, table: str, split: str) -> str:
        """Template of a split's ``queries`` or ``judgements``."""
        return of_split(getattr(self, table), split)

    def document_files(self, lang: str) -> list[str]:
        """The documents of a language."""
        return [filled(text, lang) for text in self.document_paths()]

    def document_placeholders(self) -> tuple[str, ...]:
        """What may stand in the path of the documents."""
        return ("lang", "name")

    @property
    def templates(self) -> list[Template]:
        """Templates of documents, queries and judgements."""
        found = [Template("documents", text, self.document_placeholders()) for text in self.document_paths()]
        for split in self.splits:
            found.append(Template("queries", self.path_of("queries", split), ("split", "lang", "name")))
            found.append(Template("judgements", self.path_of("judgements", split), ("split",)))
        return found

    def roles(self, source: str) -> dict[str, str]:
        """Files by role."""
        files: dict[str, str] = {}
        for lang in self.languages:
            files |= several(f"documents/{lang}", self.document_files(lang))
        for split in self.splits:
            for lang in self.questions(source, split):
                files[f"queries/{split}/{lang}"] = filled(self.path_of("queries", split), lang, split)
            files[f"judgements/{split}"] = filled(self.path_of("judgements", split), split=split)
        files |= {"triples/train": self.triples} if self.triples else {}
        files |= {"groups": self.groups} if self.groups else {}
        return files

    @model_validator(mode="after")
    def _each_split_once(self) -> Separate:
        for key in ("queries", "judgements"):
            given = getattr(self, key, None)
            paths = given.path if isinstance(given, Columns) else given
            if isinstance(paths, dict) and set(paths) != set(self.splits):
                found = ", ".join(paths) or "no split"
                raise ValueError(f"{key} for {found}: give one path for each of {', '.join(self.splits)}")
        return self


class MsMarco(Separate):
    format: Literal["msmarco"]
    documents: str = Field(
        description="TSV docid, text; `{lang}` stands for the language, `{name}` for its name in mMARCO's files "
        "(`german` for de)"
    )
    queries: BySplit = Field(
        description="TSV qid, text; `{split}`, `{lang}` and `{name}` are filled in; files that the name of the split "
        "does not tell apart: one path for each, `{train: ..., test: ...}`"
    )
    judgements: BySplit = Field(description="TREC qrels; `{split}` is filled in, or one path for each split")


class Mapped(Separate):
    """Tables whose columns the config names."""

    documents: TextColumns = Field(description="where the documents are: path, id, text")
    queries: TextColumns = Field(description="where the queries are: path, id, text")
    judgements: JudgementColumns = Field(description="where the judgements are: path, query, document, relevance")

    def document_paths(self) -> Sequence[str]:
        """Templates of a language's documents."""
        return [str(self.documents.path)]

    def path_of(self, table: str, split: str) -> str:
        """Template of a split's queries or judgements."""
        return of_split((self.queries if table == "queries" else self.judgements).path, split)

    def options(self) -> dict[str, Any]:
        """The shape of each table."""
        tables = {"documents": self.documents, "queries": self.queries, "judgements": self.judgements}
        return {name: table.shape() for name, table in tables.items()}

    @model_validator(mode="after")
    def _one_file_of_documents(self) -> Mapped:
        if isinstance(self.documents.path, dict):
            raise ValueError("documents.path for each split: all splits have the same documents, give one path")
        return self


class Tsv(Mapped):
    format: Literal["tsv"]
    separator: str = Field("\t", min_length=1, description="between columns; with `,` or `;` fields may be quoted")
    header: bool = Field(True, description="the first line names the columns; false: they are numbered from 1")

    def options(self) -> dict[str, Any]:
        """The shape of each table, with how columns are told apart."""
        layout = {"separator": self.separator, "header": self.header}
        return {name: shape | layout for name, shape in super().options().items()}

    @model_validator(mode="after")
    def _numbers(self) -> Tsv:
        used = [
            *self.documents.names("id", "text"),
            *self.queries.names("id", "text"),
            *self.judgements.names("query", "document", "relevance"),
        ]
        wrong = [name for name in used if not (name.isdecimal() and int(name) > 0)]
        if not self.header and wrong:
            raise ValueError(f"column {wrong[0]} without a header: write its number, from 1")
        return self


class Parquet(Mapped):
    format: Literal["parquet", "datasets"]


class Trec(Separate):
    format: Literal["trec"]
    documents: str | list[str] = Field(description="files of `<DOC>` elements, or their folder; `{lang}` is filled in")
    queries: BySplit = Field(description="topics; `{split}` and `{lang}` are filled in, or one path for each split")
    judgements: BySplit = Field(description="TREC qrels; `{split}` is filled in, or one path for each split")
    document_fields: list[str] = Field([], description="elements that make the text of a document; none: all")
    topic_fields: list[str] = Field(["title"], min_length=1, description="elements that make a query")
    numbered: Literal["num", "position"] = Field(
        "num", description="query ids are those of `<num>`, or (Cranfield) the position in the file from 1"
    )

    def options(self) -> dict[str, Any]:
        """The elements that are text."""
        queries = {"fields": self.topic_fields, "by_position": self.numbered == "position"}
        return {"documents": {"fields": self.document_fields}, "queries": queries}


class NeuClir(Separate):
    format: Literal["neuclir"]
    documents: str | list[str] = Field(
        description="JSONL id, title, text; `{lang}` is filled in, or `{code}`, see `codes`"
    )
    queries: BySplit = Field(description="JSONL topics, each in several languages; `{split}` is filled in")
    judgements: BySplit = Field(description="TREC qrels; `{split}` is filled in, or one path for each split")
    topic_fields: list[str] = Field(
        ["topic_title"], min_length=1, description="members that make a query, such as `topic_description`"
    )
    codes: dict[Language, str] = Field(
        {"ar": "arb", "de": "deu", "en": "eng", "fa": "fas", "fr": "fra", "ko": "kor", "ru": "rus", "zh": "zho"},
        description="what the topics, and `{code}` in the path of the documents, call our languages",
    )

    def document_files(self, lang: str) -> list[str]:
        """The documents of a language, whose files may have its code of the topics in their names."""
        return [filled(text, lang, code=self.codes.get(lang, lang)) for text in self.document_paths()]

    def document_placeholders(self) -> tuple[str, ...]:
        """The language, by our code or that of the topics."""
        return ("lang", "code")

    def options(self) -> dict[str, Any]:
        """The members that are text."""
        return {"queries": {"text": self.topic_fields, "codes": self.codes}}


class Tevatron(Separate):
    format: Literal["tevatron"]
    queries: BySplit = Field(
        description="JSONL query_id, query, positive_passages, negative_passages; `{split}`, `{lang}` are filled in"
    )
    documents: str | list[str] | None = Field(
        None, description="JSONL docid, title, text; without it the passages of the queries are the documents"
    )

    def path_of(self, table: str, split: str) -> str:
        """The one file holds queries and judgements."""
        return of_split(self.queries, split)

    @property
    def templates(self) -> list[Template]:
        """Judgements stand in the files of the source language's queries."""
        texts = [Template("documents", text, ("lang", "name")) for text in self.document_paths()]
        return texts + [Template("queries", self.path_of("queries", split), ("split", "lang")) for split in self.splits]

    def roles(self, source: str) -> dict[str, str]:
        """Files by role; judgements are in the query files, and documents too where no others are named."""
        files = super().roles(source)
        for split in self.splits:
            files[f"judgements/{split}"] = files[f"queries/{split}/{self.questions(source, split)[0]}"]
        for lang in [] if self.documents else self.languages:
            inside = [filled(self.path_of("queries", split), lang, split) for split in self.splits]
            files |= several(f"documents/{lang}", list(dict.fromkeys(inside)))
        return files

    def options(self) -> dict[str, Any]:
        """Where the documents are."""
        lists = ["positive_passages", "negative_passages"]
        inside = {"kind": "passages", "lists": lists, "id": "docid", "text": ["title", "text"]}
        return {} if self.documents else {"documents": inside}
