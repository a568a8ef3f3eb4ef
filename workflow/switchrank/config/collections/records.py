"""Collections whose files hold question, passage and answers together, record by record."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from switchrank.config.collections.base import CollectionSection
from switchrank.config.sections import Language


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
