from typing import Any, Literal

from pydantic import Field

from switchrank.collections.section import BySplit, Separate


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
        queries = {"fields": self.topic_fields, "by_position": self.numbered == "position"}
        return {"documents": {"fields": self.document_fields}, "queries": queries}
