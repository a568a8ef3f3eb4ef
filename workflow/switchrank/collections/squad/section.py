from typing import Any, Literal, Self

from pydantic import Field, model_validator

from switchrank.collections.section import PAIR, Answered
from switchrank.config.sections import Distinct, Language, Name


class Paragraphs(Answered):
    """SQuAD-style files: questions on paragraphs, in one language or across two."""

    files: dict[Language, str] = Field({}, description="one SQuAD-style JSON (or .json.gz) per language")
    crossed: dict[Name, str] = Field(
        {}, description="files whose questions and paragraphs are in two languages, by pair such as `de-en` (MLQA)"
    )
    split: Literal["train", "test"] = Field(description="what the collection is for")
    documents: Literal["paragraphs", "sentences"] = Field("paragraphs", description="what is ranked")
    train_languages: Distinct[Language] = Field(
        [], description="further languages whose training questions are kept (files with the same ids)"
    )

    @property
    def languages(self) -> list[str]:
        return list(dict.fromkeys([*self.files, *(pair.partition("-")[2] for pair in self.crossed)]))

    @property
    def query_languages(self) -> list[str]:
        return list(dict.fromkeys([*self.files, *(pair.partition("-")[0] for pair in self.crossed)]))

    @property
    def splits(self) -> list[str]:
        return [self.split]

    def roles(self, source: str) -> dict[str, str]:
        alone = {f"{self.split}/{language}": path for language, path in self.files.items()}
        return alone | {f"{self.split}/{pair.replace('-', '/')}": path for pair, path in self.crossed.items()}

    def options(self) -> dict[str, Any]:
        return {"relevance": self.relevance}

    def spec(self, source: str) -> dict[str, Any]:
        return super().spec(source) | {"documents_as": self.documents}

    @model_validator(mode="after")
    def _some_files(self) -> Self:
        wrong = [pair for pair in self.crossed if not PAIR.fullmatch(pair)]
        if wrong:
            raise ValueError(f"crossed.{wrong[0]} is not a pair: write query and document language, such as de-en")
        if not self.files and not self.crossed:
            raise ValueError("no file: give files, crossed or both")
        return self


class Squad(Paragraphs):
    format: Literal["squad"]
    parallel: bool = Field(
        True,
        description="files are translations paragraph by paragraph (XQuAD); false: they share question ids only (MLQA)",
    )

    def options(self) -> dict[str, Any]:
        return super().options() | {"parallel": self.parallel}
