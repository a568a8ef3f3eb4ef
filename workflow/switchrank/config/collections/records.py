"""Collections whose files hold question, passage and answers together, record by record."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from switchrank.config.collections.base import CollectionSection
from switchrank.config.sections import Language


class Pairs(CollectionSection):
    format: Literal["pairs"]
    language: Language = Field(description="language of the texts")
    split: Literal["train", "test"] = Field("train", description="what the collection is for")
    rows: str | None = Field(
        None, description="JSONL, or without `query` TSV: query, relevant passage, and perhaps a passage that is not"
    )
    query: str | None = Field(None, description="member of `rows` with the query")
    positive: str = Field("positive", description="member of `rows` with the relevant passage")
    negative: str = Field("negative", description="member of `rows` with a passage that is not, or a list of them")
    triples: bool = Field(False, description="train on the negatives of the rows; else BM25 hard negatives")
    queries: str | None = Field(None, description="instead of `rows`: one query a line ...")
    passages: str | None = Field(None, description="... and in the same line of this file its relevant passage")

    @property
    def languages(self) -> list[str]:
        """The one language."""
        return [self.language]

    @property
    def splits(self) -> list[str]:
        """The one split it has."""
        return [self.split]

    @property
    def train_languages(self) -> list[str]:
        """The texts are in one language."""
        return []

    @property
    def brings_triples(self) -> bool:
        """Whether the rows say which negatives to train on."""
        return self.triples

    def roles(self, source: str) -> dict[str, str]:
        """The rows, or the two files."""
        given = {"rows": self.rows, "queries": self.queries, "passages": self.passages}
        return {f"{role}/{self.split}": path for role, path in given.items() if path}

    def options(self) -> dict[str, Any]:
        """Members of JSON lines; none for TSV."""
        named = {"query": self.query, "positive": self.positive, "negative": self.negative}
        return named if self.query else {}

    @model_validator(mode="after")
    def _one(self) -> Pairs:
        if (self.rows is None) == (self.queries is None) or (self.queries is None) != (self.passages is None):
            raise ValueError("give either rows, or queries and passages")
        if self.triples and (self.rows is None or self.split != "train"):
            raise ValueError("triples come from training rows: leave the key out")
        return self


class Squad(CollectionSection):
    format: Literal["squad"]
    files: dict[Language, str] = Field(description="one SQuAD-style JSON (or .json.gz) per language")
    split: Literal["train", "test"] = Field(description="what the collection is for")
    documents: Literal["paragraphs", "sentences"] = Field("paragraphs", description="what is ranked")

    @property
    def languages(self) -> list[str]:
        """Languages of the collection, in the order of `files`."""
        return list(self.files)

    @property
    def splits(self) -> list[str]:
        """The one split it has."""
        return [self.split]

    @property
    def train_languages(self) -> list[str]:
        """Training questions are in the source language only."""
        return []

    def roles(self, source: str) -> dict[str, str]:
        """Files by split and language."""
        return {f"{self.split}/{language}": path for language, path in self.files.items()}

    def spec(self, source: str) -> dict[str, Any]:
        """The specification, with what a document is."""
        return super().spec(source) | {"documents_as": self.documents}
