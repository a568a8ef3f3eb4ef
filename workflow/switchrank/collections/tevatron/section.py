"""The config section of Tevatron's queries with passages."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from switchrank.collections.section import BySplit, Template, filled, of_split, several
from switchrank.collections.separate_section import Separate


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
        return {} if self.documents else {"inside": True}
