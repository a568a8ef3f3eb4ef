"""The config section of questions without passages, and of the documents to search in."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, model_validator

from switchrank.collections.section import CollectionSection, Template, filled
from switchrank.collections.separate_section import TextColumns
from switchrank.config.sections import LanguageList, Split


class Questions(CollectionSection):
    format: Literal["questions"]
    files: dict[Split, str] = Field(
        description="questions by split, JSON lines: NQ-Open, MKQA, or the questions of AfriQA", min_length=1
    )
    documents: TextColumns = Field(
        description="path, id and text of the documents; JSON lines or Parquet if the name says so, else TSV with a "
        "header; `{lang}` is filled in"
    )
    languages: LanguageList = Field(description="languages of the documents")
    query_languages: LanguageList | None = Field(
        None, description="languages of the test questions where they are not those of the documents"
    )
    relevance: Literal["answer"] = Field(
        "answer", description="questions without passages: relevant is every document that holds an answer"
    )

    @property
    def splits(self) -> list[str]:
        """The splits there are questions of."""
        return list(self.files)

    @property
    def train_languages(self) -> list[str]:
        """Training questions are in the source language only."""
        return []

    @property
    def templates(self) -> list[Template]:
        """The documents."""
        return [Template("documents.path", str(self.documents.path), ("lang", "name"))]

    def roles(self, source: str) -> dict[str, str]:
        """Documents by language, questions by split."""
        documents = {f"documents/{lang}": filled(str(self.documents.path), lang) for lang in self.languages}
        return documents | {f"questions/{split}": path for split, path in self.files.items()}

    def options(self) -> dict[str, Any]:
        """How the documents are written."""
        named = re.search(r"\.(jsonl|parquet)\b", str(self.documents.path))
        return {"documents": self.documents.shape() | ({} if named else {"separator": "\t", "header": True})}

    @model_validator(mode="after")
    def _one_path(self) -> Questions:
        if isinstance(self.documents.path, dict):
            raise ValueError("documents.path for each split: all splits have the same documents, give one path")
        return self
