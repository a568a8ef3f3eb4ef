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

    def files_of(self, table: str, split: str = "", lang: str = "") -> list[str]:
        """Judgements, and documents that have no files of their own, stand in the files of queries."""
        if table == "documents" and not self.documents:
            return list(dict.fromkeys(path for split in self.splits for path in self.files_of("queries", split, lang)))
        return super().files_of("queries" if table == "judgements" else table, split, lang)

    def placeholders(self) -> dict[str, tuple[str, ...]]:
        return {"documents": ("lang", "name"), "queries": ("split", "lang")}

    def options(self) -> dict[str, Any]:
        return {} if self.documents else {"documents": {"inside": True}}
