import re
from typing import Any, Literal

from pydantic import Field

from switchrank.collections.section import DocumentColumns, Template, Untranslated, filled
from switchrank.config.sections import LanguageList, Split


class Questions(Untranslated):
    format: Literal["questions"]
    files: dict[Split, str] = Field(
        description="questions by split, JSON lines: NQ-Open, MKQA, or the questions of AfriQA", min_length=1
    )
    documents: DocumentColumns = Field(
        description="path, id and text of the documents; JSON lines or Parquet if the name says so, else TSV with a "
        "header; `{lang}` is filled in"
    )
    languages: LanguageList = Field(description="languages of the documents")
    query_languages: LanguageList | None = Field(
        None, description="languages of the test questions where they are not those of the documents"
    )
    relevance: Literal["answer"] = Field(
        "answer", description="questions without passages: relevant is every document that holds an answer"
    )

    @property
    def splits(self) -> list[str]:
        return list(self.files)

    @property
    def templates(self) -> list[Template]:
        return [("documents.path", str(self.documents.path), ("lang", "name"))]

    def roles(self, source: str) -> dict[str, str]:
        documents = {f"documents/{lang}": filled(str(self.documents.path), lang) for lang in self.languages}
        return documents | {f"questions/{split}": path for split, path in self.files.items()}

    def options(self) -> dict[str, Any]:
        named = re.search(r"\.(jsonl|parquet)\b", str(self.documents.path))
        return {"documents": self.documents.shape() | ({} if named else {"separator": "\t", "header": True})}
