"""Collections whose documents, queries and judgements are files of their own, each named in the config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, model_validator

from switchrank.config.collections.base import BySplit, CollectionSection, Template, filled, of_split, several
from switchrank.config.sections import Language, Split


class Separate(CollectionSection):
    """Shared by the formats of this module: languages, splits and training files."""

    languages: list[Language] = Field(description="languages of the documents")
    query_languages: list[Language] | None = Field(
        None, description="languages of the test queries where they are not those of the documents"
    )
    splits: list[Split] = Field(["train", "test"], description="which splits it has")
    train_languages: list[Language] = Field(
        [], description="further languages that training queries exist in (translations, same ids)"
    )
    triples: str | None = Field(None, description="TSV qid, positive, negative for training; else BM25 hard negatives")
    groups: str | None = Field(None, description="TSV docid, topic: the development cut keeps topics together")

    def document_paths(self) -> Sequence[str]:
        """Templates of a language's documents."""
        raise NotImplementedError

    def query_path(self, split: str) -> str:
        """Template of a split's queries."""
        raise NotImplementedError

    def judgement_path(self, split: str) -> str:
        """Template of a split's judgements."""
        raise NotImplementedError

    @property
    def templates(self) -> list[Template]:
        """Templates of documents, queries and judgements."""
        found = [Template("documents", text, ("lang", "name")) for text in self.document_paths()]
        for split in self.splits:
            found.append(Template("queries", self.query_path(split), ("split", "lang", "name")))
            found.append(Template("judgements", self.judgement_path(split), ("split",)))
        return found

    def roles(self, source: str) -> dict[str, str]:
        """Files by role."""
        files: dict[str, str] = {}
        for lang in self.languages:
            files |= several(f"documents/{lang}", [filled(text, lang) for text in self.document_paths()])
        for split in self.splits:
            for lang in self.questions(source, split):
                files[f"queries/{split}/{lang}"] = filled(self.query_path(split), lang, split)
            files[f"judgements/{split}"] = filled(self.judgement_path(split), split=split)
        files |= {"triples/train": self.triples} if self.triples else {}
        files |= {"groups": self.groups} if self.groups else {}
        return files


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

    def document_paths(self) -> list[str]:
        """The one template."""
        return [self.documents]

    def query_path(self, split: str) -> str:
        """The template of a split."""
        return of_split(self.queries, split)

    def judgement_path(self, split: str) -> str:
        """The template of a split."""
        return of_split(self.judgements, split)

    @model_validator(mode="after")
    def _each_split_once(self) -> MsMarco:
        for key, given in (("queries", self.queries), ("judgements", self.judgements)):
            if isinstance(given, dict) and set(given) != set(self.splits):
                found = ", ".join(given) or "no split"
                raise ValueError(f"{key} for {found}: give one path for each of {', '.join(self.splits)}")
        return self
