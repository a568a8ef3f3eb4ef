from typing import Literal, Self

from pydantic import Field, model_validator

from switchrank.collections.section import SPLITS, OneLanguage, Splits
from switchrank.config.sections import Language

_TEST1: Splits = {"test": "test1"}


class ClirMatrix(OneLanguage):
    format: Literal["clirmatrix"]
    query_language: Language = Field(description="language of the queries")
    lists: str = Field(
        description="JSONL src_id, src_query, tgt_results of this pair, with `{split}`, `{query}` and `{document}`"
    )
    documents: str = Field(description="TSV id, text of the document language (`docs/<language>.tsv.gz`)")
    splits: Splits = Field(_TEST1, description=SPLITS)

    @property
    def query_languages(self) -> list[str]:
        return [self.query_language]

    def placeholders(self) -> dict[str, tuple[str, ...]]:
        return {"lists": ("split", "query", "document")}

    def files_of(self, table: str, split: str = "", lang: str = "") -> list[str]:
        """One file holds queries and judgements."""
        if table == "documents":
            return [self.documents]
        return [self.lists.format(split=self.named(split), query=self.query_language, document=self.language)]

    @model_validator(mode="after")
    def _only_test(self) -> Self:
        if "train" in self.splits:
            raise ValueError("training queries are not in the documents' language: declare a test split only")
        return self
