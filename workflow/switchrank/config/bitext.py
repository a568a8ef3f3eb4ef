"""The keys of parallel texts."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from switchrank.config.sections import (
    Distinct,
    Finding,
    Language,
    OpenShare,
    Section,
    Seed,
    Whole,
    known_names,
    known_placeholders,
    refused,
)
from switchrank.files.addresses import filled
from switchrank.sources.bitext.aligned import check_layout
from switchrank.sources.bitext.files import DROPS, Drop


class Bitext(Section):
    files: dict[Language, str] = Field(
        {}, description="a file for each language, aligned line by line; the first language is paired with each other"
    )
    path: str | None = Field(
        None,
        description="instead: one file with both languages, a table with `columns` or a zip archive of aligned files, "
        "as OPUS has them; `{lang}` stands for the second language",
    )
    languages: Distinct[Language] = Field(
        [], description="path: its languages, the one that is paired with each other first"
    )
    columns: list[int | str] = Field(
        [],
        description="path: columns between tabs, by number from 1 or by name: of the two languages of each file with "
        "`{lang}`, else of every language",
    )
    codes: dict[Language, str] = Field(
        {}, description="path: what its name and the names in an archive call a language, such as `sw: swa`"
    )
    drop: Distinct[Drop] = Field(
        list(DROPS),
        description="lines left out beside empty and repeated ones: both sides are equal; most letters of a side are "
        "not of its language's scripts; a side is too long for the other",
    )
    max_ratio: Annotated[float, Field(ge=1)] = Field(
        3.0, description="ratio: how many times as long a side may be as the other, in characters or in bytes"
    )
    held_out: Whole | OpenShare = Field(
        0, description="lines that nothing is trained on, or, below 1, the share of them; drawn by their text"
    )
    seed: Seed = Field(1, description="seed of the draw")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.files) == (self.path is not None):
            raise ValueError("give either files (one for each language) or path")
        if self.files:
            self._refuse({"languages", "columns", "codes"}, "beside files", "leave it out")
        if len(self.every) < 2:
            raise ValueError(f"{len(self.every)} languages: name two or more")
        wanted = 2 if self._by_language else len(self.every)
        if self.columns and len(self.columns) != wanted:
            raise ValueError(f"{len(self.columns)} columns: name {wanted}, one for each language")
        return self

    @property
    def _by_language(self) -> bool:
        """Whether each second language has a file of its own that holds the first one too."""
        return "{lang}" in (self.path or "")

    @property
    def every(self) -> list[str]:
        """All languages, the one that is paired with each other first."""
        return list(self.files) or self.languages

    def given(self, language: str) -> list[str]:
        """The files that a pair with this second language is read from."""
        if self.path is None:
            return [self.files[self.every[0]], self.files[language]]
        return [filled(self.path, {"lang": self._code(language)})]

    @property
    def inputs(self) -> list[str]:
        """All files, in the order of the languages."""
        return [path for language in self.every[1:] for path in self.given(language)]

    def _code(self, language: str) -> str:
        return self.codes.get(language, language)

    def reading(self, language: str) -> dict[str, Any]:
        """How a pair is read, as :func:`switchrank.sources.bitext.write.write_bitext` takes it."""
        pair = [self.every[0], language]
        columns = self.columns
        if columns and not self._by_language:
            columns = [columns[self.every.index(one)] for one in pair]
        endings = [self._code(one) for one in pair]
        return self.plain("files", "path", "codes") | {"languages": pair, "columns": columns, "endings": endings}


def bitext_findings(sections: Mapping[str, Bitext], languages: Sequence[str]) -> list[Finding]:
    """What is wrong with parallel texts, in a run of these languages, whose values are right one by one."""
    found: list[Finding] = []
    for name, section in sections.items():
        place = f"bitext.{name}"
        wrong = [*known_names(place, "language", section.every, languages)]
        wrong += known_placeholders(f"{place}.path", section.path, ("lang",))
        wrong += known_placeholders(f"{place}.files", section.files.values())
        for language in [] if wrong else section.every[1:]:
            wrong += refused(place, check_layout, section.given(language), section.reading(language)["columns"])
        found += wrong
    return found
