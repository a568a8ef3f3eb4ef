from typing import ClassVar, Literal

from pydantic import Field

from switchrank.collections.section import OneLanguage


class Beir(OneLanguage):
    PATHS: ClassVar = {
        "documents": ("{folder}/corpus.jsonl",),
        "queries": ("{folder}/queries.jsonl",),
        "judgements": ("{folder}/qrels/{split}.tsv",),
    }
    format: Literal["beir"]
    folder: str = Field(description="holds `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv`")
