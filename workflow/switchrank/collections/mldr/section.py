from typing import ClassVar, Literal

from pydantic import Field

from switchrank.collections.section import OneLanguage

_LISTS = "{folder}/mldr-v1.0-{language}/{split}.jsonl"


class Mldr(OneLanguage):
    PATHS: ClassVar = {
        "documents": ("{folder}/mldr-v1.0-{language}/corpus.jsonl",),
        "queries": (_LISTS,),
        "judgements": (_LISTS,),
    }
    format: Literal["mldr"]
    folder: str = Field(description="holds `mldr-v1.0-<language>/corpus.jsonl.gz` and `<split>.jsonl.gz` (Shitao/MLDR)")
