"""Collections whose files hold question, passage and answers together, record by record."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from switchrank.config.collections.base import CollectionSection, Template, filled
from switchrank.config.collections.separate import TextColumns
from switchrank.config.sections import Language, LanguageList, Name, Split

_PAIR = re.compile(r"[a-z]{2,3}-[a-z]{2,3}")


class Pairs(CollectionSection):
    format: Literal["pairs"]
    language: Language = Field(description="language of the texts")
    split: Literal["train", "test"] = Field("train", description="what the collection is for")
    rows: str | None = Field(
        None,
        description="JSONL, a table, or without `query` TSV: query, relevant passage, perhaps a passage that is not",
    )
    query: str | None = Field(None, description="member or column of `rows` with the query")
    positive: str = Field("positive", description="member of `rows` with the relevant passage")
    negative: str = Field("negative", description="member of `rows` with a passage that is not, or a list of them")
    separator: str | None = Field(
        None, min_length=1, description="`rows` is a table whose first line names its columns, with this between them"
    )
    triples: bool = Field(False, description="train on the negatives of the rows; else BM25 hard negatives")
    queries: str | None = Field(None, description="instead of `rows`: one query a line ...")
    passages: str | None = Field(None, description="... and in the same line of this file its relevant passage")

    @property
    def languages(self) -> list[str]:
        """The one language."""
        return [self.language]

    @property
    def splits(self) -> list[str]:
        """The one split it has."""
        return [self.split]

    @property
    def train_languages(self) -> list[str]:
        """The texts are in one language."""
        return []

    @property
    def brings_triples(self) -> bool:
        """Whether the rows say which negatives to train on."""
        return self.triples

    def roles(self, source: str) -> dict[str, str]:
        """The rows, or the two files."""
        given = {"rows": self.rows, "queries": self.queries, "passages": self.passages}
        return {f"{role}/{self.split}": path for role, path in given.items() if path}

    def options(self) -> dict[str, Any]:
        """Members of JSON lines or columns of a table; none for TSV without a header."""
        named = {"query": self.query, "positive": self.positive, "negative": self.negative}
        separated = {"separator": self.separator} if self.separator else {}
        return named | separated if self.query else {}

    @model_validator(mode="after")
    def _one(self) -> Pairs:
        if (self.rows is None) == (self.queries is None) or (self.queries is None) != (self.passages is None):
            raise ValueError("give either rows, or queries and passages")
        if self.separator and (self.rows is None or self.query is None):
            raise ValueError("separator goes with rows, and with query, which names a column")
        if self.triples and (self.rows is None or self.split != "train"):
            raise ValueError("triples come from training rows: leave the key out")
        return self


class Answered(CollectionSection):
    """Shared by records with answers: what makes a document relevant."""

    relevance: Literal["gold", "answer"] = Field(
        "gold",
        description="`gold`: the passage or sentence that the question was asked about; `answer`: every document that "
        "holds one of its answers, word for word",
    )


class Paragraphs(Answered):
    """SQuAD-style files: questions on paragraphs, in one language or across two."""

    files: dict[Language, str] = Field({}, description="one SQuAD-style JSON (or .json.gz) per language")
    crossed: dict[Name, str] = Field(
        {}, description="files whose questions and paragraphs are in two languages, by pair such as `de-en` (MLQA)"
    )
    split: Literal["train", "test"] = Field(description="what the collection is for")
    documents: Literal["paragraphs", "sentences"] = Field("paragraphs", description="what is ranked")

    @property
    def languages(self) -> list[str]:
        """Languages of the paragraphs, in the order of the files."""
        return list(dict.fromkeys([*self.files, *(pair.partition("-")[2] for pair in self.crossed)]))

    @property
    def asked_in(self) -> list[str]:
        """Languages of the questions."""
        return list(dict.fromkeys([*self.files, *(pair.partition("-")[0] for pair in self.crossed)]))

    @property
    def splits(self) -> list[str]:
        """The one split it has."""
        return [self.split]

    @property
    def train_languages(self) -> list[str]:
        """Training questions are in the source language only."""
        return []

    def roles(self, source: str) -> dict[str, str]:
        """Files by split and language, or by split, query language and document language."""
        alone = {f"{self.split}/{language}": path for language, path in self.files.items()}
        return alone | {f"{self.split}/{pair.replace('-', '/')}": path for pair, path in self.crossed.items()}

    def options(self) -> dict[str, Any]:
        """What makes a document relevant."""
        return {"relevance": self.relevance}

    def spec(self, source: str) -> dict[str, Any]:
        """The specification, with what a document is."""
        return super().spec(source) | {"documents_as": self.documents}

    @model_validator(mode="after")
    def _some_files(self) -> Paragraphs:
        wrong = [pair for pair in self.crossed if not _PAIR.fullmatch(pair)]
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
        """What belongs together, and what makes a document relevant."""
        return super().options() | {"parallel": self.parallel}


class Bipar(Paragraphs):
    format: Literal["bipar"]


class Afriqa(Answered):
    format: Literal["afriqa"]
    files: dict[Split, Annotated[dict[Name, str], Field(min_length=1)]] = Field(
        description="gold passages by split and pair of query and passage language, such as `{test: {sw-en: ...}}`",
        min_length=1,
    )
    passages: dict[Name, str] = Field(
        {},
        description="further files of which only the passages are searched in, by language of the passages and a name "
        "of yours, such as `{en-train: ...}`",
    )
    titles: bool = Field(False, description="put the title before the text of a passage")

    @property
    def splits(self) -> list[str]:
        """The splits there are files of."""
        return list(self.files)

    @property
    def languages(self) -> list[str]:
        """Languages of the passages."""
        return list(dict.fromkeys(pair.partition("-")[2] for pairs in self.files.values() for pair in pairs))

    @property
    def asked_in(self) -> list[str]:
        """Languages of the test questions: theirs, and that of their human translation."""
        return list(dict.fromkeys(lang for pair in self.files.get("test", {}) for lang in pair.split("-")))

    @property
    def train_languages(self) -> list[str]:
        """Training questions are the translations into the source language."""
        return []

    def roles(self, source: str) -> dict[str, str]:
        """Files by split and pair, and files of passages by language and name."""
        asked = {
            f"{split}/{pair.replace('-', '/')}": path
            for split, pairs in self.files.items()
            for pair, path in pairs.items()
        }
        more = {f"documents/{name.replace('-', '/', 1)}": path for name, path in self.passages.items()}
        return asked | more

    def options(self) -> dict[str, Any]:
        """What a document is, and what makes it relevant."""
        return {"relevance": self.relevance, "titles": self.titles}

    @model_validator(mode="after")
    def _pairs(self) -> Afriqa:
        for split, pairs in self.files.items():
            for pair in pairs:
                if not _PAIR.fullmatch(pair):
                    raise ValueError(f"files.{split}.{pair} is not a pair: write query and passage language: sw-en")
        for name in self.passages:
            if not re.match(r"[a-z]{2,3}-.", name):
                raise ValueError(f"passages.{name} names no language: write it first, such as en-train")
        return self


class Questions(CollectionSection):
    format: Literal["questions"]
    files: dict[Split, str] = Field(
        description="questions by split, JSON lines: NQ-Open, MKQA, or the questions of AfriQA", min_length=1
    )
    documents: TextColumns = Field(
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
        """The splits there are questions of."""
        return list(self.files)

    @property
    def train_languages(self) -> list[str]:
        """Training questions are in the source language only."""
        return []

    @property
    def templates(self) -> list[Template]:
        """The documents."""
        return [Template("documents.path", str(self.documents.path), ("lang", "name"))]

    def roles(self, source: str) -> dict[str, str]:
        """Documents by language, questions by split."""
        documents = {f"documents/{lang}": filled(str(self.documents.path), lang) for lang in self.languages}
        return documents | {f"questions/{split}": path for split, path in self.files.items()}

    def options(self) -> dict[str, Any]:
        """How the documents are written."""
        named = re.search(r"\.(jsonl|parquet)\b", str(self.documents.path))
        return {"documents": self.documents.shape() | ({} if named else {"separator": "\t", "header": True})}

    @model_validator(mode="after")
    def _one_path(self) -> Questions:
        if isinstance(self.documents.path, dict):
            raise ValueError("documents.path for each split: all splits have the same documents, give one path")
        return self
