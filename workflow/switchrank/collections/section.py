"""What every collection section has: the keys all formats share, and the questions the plan and the rules ask of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from switchrank.collections.mmarco.names import MMARCO_NAMES
from switchrank.collections.spec import CollectionSpec
from switchrank.config.sections import Count, DevShare, OpenShare, Section, Share

BySplit = str | dict[str, str]
"""A path for all splits, or one for each."""


class Instances(Section):
    negatives: Count = Field(4, description="negatives per positive")
    pool: Count = Field(100, description="BM25 depth from which hard negatives are drawn")
    random_negatives: Share = Field(0.0, description="share of negatives drawn from the whole collection instead")
    rounds: Count = Field(1, description="how often each positive is taken, each time with fresh negatives")
    limit: Count | None = Field(
        None, description="training instances kept, the first ones; default: all. The development set is not cut"
    )
    dev_negatives: Count = Field(19, description="negatives per positive in the development set")


class Template(NamedTuple):
    """A path of the config: the key it stands at, the text, and the placeholders it may hold."""

    key: str
    text: str
    known: tuple[str, ...]


class CollectionSection(Section):
    """One collection. A format adds ``format``, its files, and the properties declared below."""

    dev: DevShare = Field(0.1, description="share of training queries cut off for development, by whole groups")
    labels: OpenShare = Field(
        0.0,
        description="share of training queries set aside, by whole groups, as labelled queries of the ablation: no "
        "system trains on them or on passages that answer them as such",
    )
    instances: Instances = Field(Instances(), description="how training pairs are made")
    max_skipped: Share = Field(
        0.1,
        description="largest share of a file's rows that may be left out: empty, incomplete or of an unknown document; "
        "above it a run stops",
    )

    if TYPE_CHECKING:

        @property
        def format(self) -> str:
            """The tag of the section."""

        @property
        def languages(self) -> Sequence[str]:
            """Languages of the documents."""

        @property
        def splits(self) -> Collection[str]:
            """The splits it has, or the names they go by in its files."""

        @property
        def train_languages(self) -> Sequence[str]:
            """Languages besides the source that training queries exist in."""

    @property
    def asked_in(self) -> list[str]:
        """Languages of the test queries; those of the documents unless the sides are declared apart."""
        return list(getattr(self, "query_languages", None) or self.languages)

    @property
    def brings_triples(self) -> bool:
        """Whether the data says which negatives to train on."""
        return getattr(self, "triples", None) is not None

    @property
    def templates(self) -> list[Template]:
        """Paths whose placeholders are checked before they are filled in."""
        return []

    def roles(self, source: str) -> dict[str, str]:
        """Input files by role, such as ``documents/en``; a second file of a role is called ``documents/en+1``."""
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """What the reader has to know of the files beside their roles, as plain JSON values."""
        return {}

    def check(self, source: str) -> CollectionSpec:
        """Its specification; UserError for what the sources stage would refuse of it."""
        return CollectionSpec.from_plain(self.spec(source))

    def training_language(self, source: str) -> str:
        """The language of the training queries: the run's source, or that of a collection in another language alone."""
        return source if source in self.languages else self.languages[0]

    def questions(self, source: str, split: str) -> list[str]:
        """Languages that a split has queries in."""
        return self.asked_in if split == "test" else [self.training_language(source), *self.train_languages]

    def spec(self, source: str) -> dict[str, Any]:
        """The plain form of :class:`switchrank.collections.spec.CollectionSpec`."""
        return {
            "format": self.format,
            "languages": list(self.languages),
            "asked_in": self.asked_in,
            "splits": list(self.splits),
            "dev": self.dev,
            "labels": self.labels,
            "source": self.training_language(source),
            "triples": self.brings_triples,
            "train_languages": list(self.train_languages),
            "seed": 1,
            "max_skipped": self.max_skipped,
            "options": self.options(),
        }


def several(role: str, paths: str | Sequence[str]) -> dict[str, str]:
    """Roles of one or more files that are read one after the other."""
    given = [paths] if isinstance(paths, str) else paths
    return {role if not number else f"{role}+{number}": path for number, path in enumerate(given)}


def filled(template: str, language: str = "", split: str = "", code: str = "") -> str:
    """A path with its placeholders filled in; ``code`` is what the files call the language."""
    return template.format(lang=language, name=MMARCO_NAMES.get(language, language), split=split, code=code)


def of_split(given: BySplit, split: str) -> str:
    """The path of one split."""
    return given if isinstance(given, str) else given[split]


def found(path: str) -> str:
    """``path``, or its packed form where only that is on disk."""
    packed = [f"{path}{suffix}" for suffix in (".gz", ".xz", ".bz2") if Path(f"{path}{suffix}").is_file()]
    return path if Path(path).exists() or not packed else packed[0]
