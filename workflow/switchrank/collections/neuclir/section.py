from typing import Any, Literal

from pydantic import Field

from switchrank.collections.section import BySplit, Separate
from switchrank.config.sections import Language


class NeuClir(Separate):
    format: Literal["neuclir"]
    documents: str | list[str] = Field(
        description="JSONL id, title, text; `{lang}` is filled in, or `{code}`, see `codes`"
    )
    queries: BySplit = Field(description="JSONL topics, each in several languages; `{split}` is filled in")
    judgements: BySplit = Field(description="TREC qrels; `{split}` is filled in, or one path for each split")
    topic_fields: list[str] = Field(
        ["topic_title"], min_length=1, description="members that make a query, such as `topic_description`"
    )
    codes: dict[Language, str] = Field(
        {"ar": "arb", "de": "deu", "en": "eng", "fa": "fas", "fr": "fra", "ko": "kor", "ru": "rus", "zh": "zho"},
        description="what the topics, and `{code}` in the path of the documents, call our languages",
    )

    def placeholders(self) -> dict[str, tuple[str, ...]]:
        return super().placeholders() | {"documents": ("lang", "code")}

    def options(self) -> dict[str, Any]:
        return {"queries": {"text": self.topic_fields, "codes": self.codes}}
