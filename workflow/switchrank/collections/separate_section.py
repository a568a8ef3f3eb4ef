"""Sections whose documents, queries and judgements are files of their own, each named in the config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field, model_validator

from switchrank.collections.roles import check_separate
from switchrank.collections.section import BySplit, CollectionSection, Template, filled, of_split, several
from switchrank.collections.spec import CollectionSpec
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
        return {"id": str(self.id), "text": self.names("text")}


class JudgementColumns(Columns):
    query: str | int = Field(description="column of the query id")
    document: str | int = Field(description="column of the document id")
    relevance: str | int | None = Field(None, description="column of the relevance; without it every row is relevant")

    def shape(self) -> dict[str, Any]:
        """The reader's settings."""
        relevance = None if self.relevance is None else str(self.relevance)
        return {"query": str(self.query), "document": str(self.document), "relevance": relevance}


class Separate(CollectionSection):
    """What they share: languages, splits and training files."""

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

    def check(self, source: str) -> CollectionSpec:
        """Its specification; UserError as well for a file that its reader would miss."""
        spec = super().check(source)
        check_separate(spec, self.roles(source))
        return spec

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
