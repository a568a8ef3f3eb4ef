from typing import Literal

from pydantic import Field

from switchrank.collections.section import BySplit, Separate


class MsMarco(Separate):
    format: Literal["msmarco"]
    documents: str = Field(
        description="TSV docid, text; `{lang}` stands for the language, `{name}` for its name in mMARCO's files "
        "(`german` for de)"
    )
    queries: BySplit = Field(
        description="TSV qid, text; `{split}`, `{lang}` and `{name}` are filled in; files that the name of the split "
        "does not tell apart: one path for each, `{train: ..., test: ...}`"
    )
    judgements: BySplit = Field(description="TREC qrels; `{split}` is filled in, or one path for each split")
