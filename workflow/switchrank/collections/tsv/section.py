from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from switchrank.collections.section import Mapped


class Tsv(Mapped):
    format: Literal["tsv"]
    separator: str = Field("\t", min_length=1, description="between columns; with `,` or `;` fields may be quoted")
    header: bool = Field(True, description="the first line names the columns; false: they are numbered from 1")

    def options(self) -> dict[str, Any]:
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
