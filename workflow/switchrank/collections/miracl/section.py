from typing import ClassVar, Literal

from pydantic import Field

from switchrank.collections.section import SPLITS, TEST_IS_DEV, OneLanguage, Splits

_TOPICS = "topics/topics.miracl-v1.0-{language}-{split}.tsv"
_QRELS = "qrels/qrels.miracl-v1.0-{language}-{split}.tsv"


class Miracl(OneLanguage):
    PATHS: ClassVar = {
        "documents": ("{folder}/miracl-corpus-v1.0-{language}",),
        "queries": (f"{{folder}}/miracl-v1.0-{{language}}/{_TOPICS}", f"{{folder}}/{_TOPICS}"),
        "judgements": (f"{{folder}}/miracl-v1.0-{{language}}/{_QRELS}", f"{{folder}}/{_QRELS}"),
    }
    format: Literal["miracl"]
    folder: str = Field(
        description="holds `miracl-v1.0-<language>/topics` and `qrels` (dataset miracl/miracl), or `topics` and `qrels`"
    )
    documents: str | list[str] | None = Field(
        None, description="folder of docs-*.jsonl.gz, or the files; default: `miracl-corpus-v1.0-<language>` beside"
    )
    splits: Splits = Field(TEST_IS_DEV, description=SPLITS)
