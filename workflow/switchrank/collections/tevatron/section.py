from typing import Any, Literal

from pydantic import Field

from switchrank.collections.section import BySplit, Separate


class Tevatron(Separate):
    format: Literal["tevatron"]
    queries: BySplit = Field(
        description="JSONL query_id, query, positive_passages, negative_passages; `{split}`, `{lang}` are filled in"
    )
    documents: str | list[str] | None = Field(
        None, description="JSONL docid, title, text; without it the passages of the queries are the documents"
    )

    def document_files(self, lang: str) -> list[str]:
        inside = [self.query_file(split, lang) for split in self.splits]
        return super().document_files(lang) or list(dict.fromkeys(inside))

    def judgement_file(self, split: str, lang: str) -> str:
        """Judgements stand in the files of the source language's queries."""
        return self.query_file(split, lang)

    def placeholders(self) -> dict[str, tuple[str, ...]]:
        return {"documents": ("lang", "name"), "queries": ("split", "lang")}

    def options(self) -> dict[str, Any]:
        return {} if self.documents else {"documents": {"inside": True}}
