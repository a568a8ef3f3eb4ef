"""Sections whose documents are in one language, and whose folder says the rest."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from switchrank.collections.roles import check_separate
from switchrank.collections.section import CollectionSection, found, several
from switchrank.collections.spec import CollectionSpec
from switchrank.config.sections import Distinct, Language, Split

Splits = Distinct[Split] | dict[Split, str]
TEST: Splits = ["test"]
SPLITS = "which splits it has, or what its files call each: `{train: train, test: dev}`"


class OneLanguage(CollectionSection):
    """Documents of one language, and queries that belong to them alone."""

    PATHS: ClassVar[dict[str, tuple[str, ...]]]
    """By table where its file may lie, with keys of the section, ``split`` and ``native`` in braces."""

    language: Language = Field(description="language of the documents")
    splits: Splits = Field(TEST, description=SPLITS)

    @property
    def languages(self) -> list[str]:
        """The one language of the documents."""
        return [self.language]

    @property
    def train_languages(self) -> list[str]:
        """Training queries are in one language."""
        return []

    def named(self, split: str) -> str:
        """What the files call a split."""
        names = self.splits.items() if isinstance(self.splits, dict) else ()
        return next((name for key, name in names if key == split), split)

    def path(self, table: str, split: str = "", lang: str = "") -> str:
        """The file, or folder, of a table of a split in a language: of those that it may be, the one that is there."""
        known = {key: str(value).rstrip("/") for key, value in vars(self).items()}
        named = known | {"split": self.named(split), "native": "-native" if lang == self.language else ""}
        paths = [found(path.format(**named)) for path in self.PATHS[table]]
        there = [path for path in paths if Path(path).is_file()]
        return (there or paths)[0]

    def check(self, source: str) -> CollectionSpec:
        """Its specification; UserError as well for a file that its reader would miss."""
        spec = super().check(source)
        check_separate(spec, self.roles(source))
        return spec

    def roles(self, source: str) -> dict[str, str]:
        """Files by role."""
        files = several(f"documents/{self.language}", getattr(self, "documents", None) or self.path("documents"))
        for split in self.splits:
            for lang in self.questions(source, split):
                files[f"queries/{split}/{lang}"] = self.path("queries", split, lang)
                files[f"judgements/{split}"] = self.path("judgements", split)
        return files
