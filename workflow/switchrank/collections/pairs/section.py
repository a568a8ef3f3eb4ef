from typing import Any, Literal, Self

from pydantic import Field, model_validator

from switchrank.collections.section import Untranslated
from switchrank.config.sections import Language


class Pairs(Untranslated):
    format: Literal["pairs"]
    language: Language = Field(description="language of the texts")
    split: Literal["train", "test"] = Field("train", description="what the collection is for")
    rows: str | None = Field(
        None,
        description="JSONL, a table, or without `query` TSV: query, relevant passage, perhaps a passage that is not",
    )
    query: str | None = Field(None, description="member or column of `rows` with the query")
    positive: str = Field("positive", description="member of `rows` with the relevant passage")
    negative: str = Field("negative", description="member of `rows` with a passage that is not, or a list of them")
    separator: str | None = Field(
        None, min_length=1, description="`rows` is a table whose first line names its columns, with this between them"
    )
    triples: bool = Field(False, description="train on the negatives of the rows; else BM25 hard negatives")
    queries: str | None = Field(None, description="instead of `rows`: one query a line ...")
    passages: str | None = Field(None, description="... and in the same line of this file its relevant passage")

    @property
    def languages(self) -> list[str]:
        return [self.language]

    @property
    def splits(self) -> list[str]:
        return [self.split]

    def roles(self, source: str) -> dict[str, str]:
        given = {"rows": self.rows, "queries": self.queries, "passages": self.passages}
        return {f"{role}/{self.split}": path for role, path in given.items() if path}

    def options(self) -> dict[str, Any]:
        """Members of JSON lines or columns of a table; none for TSV without a header."""
        named = {"query": self.query, "positive": self.positive, "negative": self.negative}
        separated = {"separator": self.separator} if self.separator else {}
        return named | separated if self.query else {}

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.rows is None) == (self.queries is None) or (self.queries is None) != (self.passages is None):
            raise ValueError("give either rows, or queries and passages")
        if self.separator and (self.rows is None or self.query is None):
            raise ValueError("separator goes with rows, and with query, which names a column")
        if self.triples and (self.rows is None or self.split != "train"):
            raise ValueError("triples come from training rows: leave the key out")
        return self
