from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from switchrank.collections.section import SPLITS, TEST_IS_DEV, OneLanguage, Splits
from switchrank.config.sections import LanguageList


class Ciral(OneLanguage):
    PATHS: ClassVar = {
        "queries": ("{folder}/topics/topics.ciral-v1.0-{language}-{split}{native}.tsv",),
        "judgements": ("{folder}/qrels/qrels.ciral-v1.0-{language}-{split}.tsv",),
    }
    format: Literal["ciral"]
    folder: str = Field(description="holds `topics/topics.ciral-v1.0-<language>-<split>.tsv`, `qrels/qrels....tsv`")
    documents: str | list[str] = Field(description="JSONL docid, title, text; a folder of them, or the files")
    query_languages: LanguageList = Field(
        ["en"], min_length=1, description="`en`, and the documents' language for the `-native` topics"
    )
    splits: Splits = Field(TEST_IS_DEV, description=SPLITS + ", `{test: test-a}`")

    @model_validator(mode="after")
    def _asked(self) -> Self:
        strangers = [lang for lang in self.query_languages if lang not in ("en", self.language)]
        if strangers or "train" in self.splits:
            raise ValueError(f"CIRAL asks in en and in {self.language}, and has no training split: correct it")
        return self
