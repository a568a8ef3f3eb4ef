"""What a collection is: the checked form of its specification, and the tables it gives.

Standard library only, so that a workflow can ask for file names while it is being parsed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from switchrank.collections.formats import names
from switchrank.core.errors import UserError

SPLITS = ("train", "dev", "test")
UNITS = ("paragraphs", "sentences")
_FILE = "collection"


@dataclass(frozen=True)
class CollectionSpec:
    """The specification of one collection.

    Attributes:
        format: one of :func:`switchrank.collections.formats.names`.
        languages: languages of the documents.
        splits: query sets the input files hold.
        dev: share of the training queries to cut off for development, by whole groups; 0 cuts nothing.
        labels: share of the training queries to cut off as labelled examples, likewise.
        documents_as: what a document is in ``squad`` data, ``paragraphs`` or ``sentences``.
        source: the language of training and development queries.
        seed: chooses the groups that are cut off.
        triples: whether the data brings training triples.
        train_languages: further languages that training queries exist in, under the ids of the source's.
        asked_in: languages of the test queries; none means those of the documents.
        max_skipped: largest share of a file's rows that may be left out as unusable.
        options: what the reader of the format has to know beside, as plain JSON values.
    """

    format: str
    languages: tuple[str, ...]
    splits: tuple[str, ...] = ("train", "test")
    dev: float = 0.0
    labels: float = 0.0
    documents_as: str = "paragraphs"
    source: str = "en"
    seed: int = 1
    triples: bool = False
    train_languages: tuple[str, ...] = ()
    asked_in: tuple[str, ...] = ()
    max_skipped: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_plain(cls, spec: Mapping[str, Any]) -> CollectionSpec:
        """Check a JSON-plain specification.

        Raises:
            UserError: an unknown or missing key, or a value that is not allowed; ``place`` is the key.
        """
        known = [one.name for one in fields(cls)]
        for key in spec:
            if key not in known:
                raise UserError(_FILE, key, "unknown key", nearest(key, known))
        for key in ("format", "languages"):
            if key not in spec:
                raise UserError(_FILE, key, "missing", "add it")
        plain = {key: _typed(key, value) for key, value in spec.items()}
        checked = cls(**plain)
        checked._check_choices()
        checked._check_splits()
        return checked

    def _check_choices(self) -> None:
        for key, value, allowed in (
            ("format", self.format, names()),
            ("documents_as", self.documents_as, UNITS),
        ):
            if value not in allowed:
                raise UserError(_FILE, key, f"{value!r}", f"write one of {', '.join(allowed)}")
        for key, share in (("dev", self.dev), ("labels", self.labels)):
            if not 0 <= share < 1:
                raise UserError(_FILE, key, f"{share!r}", "write a share from 0 up to but without 1")
        if not 0 <= self.max_skipped <= 1:
            raise UserError(_FILE, "max_skipped", f"{self.max_skipped!r}", "write a share from 0 to 1")
        self._check_languages()

    def _check_languages(self) -> None:
        if not self.languages:
            raise UserError(_FILE, "languages", "[]", "name each language once")
        for key, named in (("languages", self.languages), ("asked_in", self.asked_in)):
            if len(set(named)) < len(named):
                raise UserError(_FILE, key, f"{list(named)}", "name each language once")
            for language in named:
                if not language.replace("-", "").isalnum():
                    raise UserError(_FILE, key, f"{language!r}", "write a language code such as en or pt-BR")
        for language in self.train_languages:
            if language not in self.languages or language == self.source:
                problem = f"{language!r} is the source or has no documents"
                raise UserError(_FILE, "train_languages", problem, "name other languages of the collection")

    def _check_splits(self) -> None:
        wrong = [split for split in self.splits if split not in SPLITS]
        if wrong or not self.splits or len(set(self.splits)) < len(self.splits):
            raise UserError(_FILE, "splits", f"{list(self.splits)}", f"name each once, out of {', '.join(SPLITS)}")
        if self.dev and "dev" in self.splits:
            raise UserError(_FILE, "dev", "a share to cut beside a dev split of its own", "keep one of the two")
        if self.triples and "train" not in self.splits:
            raise UserError(_FILE, "triples", "there is no train split", "add it to splits or leave the key out")
        if set(self.splits) != {"test"} and self.source not in self.languages:
            raise UserError(_FILE, "source", f"{self.source} is not among the languages", "add it to languages")

    @property
    def cuts(self) -> dict[str, float]:
        """The splits that are cut from the training queries, and their shares of these."""
        shares = {"dev": self.dev, "labels": self.labels}
        return {split: share for split, share in shares.items() if share and "train" in self.splits}

    @property
    def written_splits(self) -> list[str]:
        """The splits there are after the cuts, in the order train, dev, labels, test."""
        return [split for split in ("train", "dev", "labels", "test") if split in {*self.splits, *self.cuts}]

    def query_languages(self, split: str) -> list[str]:
        """Languages a split has queries in: those asked in for test, else the source and the training ones."""
        return list(self.asked_in or self.languages) if split == "test" else [self.source, *self.train_languages]

    def judged_languages(self, split: str) -> list[str]:
        """Languages of documents that a split has judgements for: all for test, else as the queries."""
        return list(self.languages) if split == "test" else [self.source, *self.train_languages]

    @staticmethod
    def parts(files: Mapping[str, str], role: str) -> list[str]:
        """The files of a role in reading order: ``documents/en``, then ``documents/en+1``, ``documents/en+2``, ..."""
        numbered = [(int(name.partition("+")[2] or 0), path) for name, path in files.items() if base_role(name) == role]
        return [path for _, path in sorted(numbered)]

    def outputs(self) -> list[str]:
        """Names of the tables, relative to the collection's folder."""
        names = [f"documents-{language}.parquet" for language in self.languages]
        for split in self.written_splits:
            names += [f"queries-{split}-{language}.parquet" for language in self.query_languages(split)]
            names += [f"judgements-{split}-{language}.parquet" for language in self.judged_languages(split)]
        return names + (["triples-train.parquet"] if self.triples else [])


def _typed(key: str, value: Any) -> Any:
    """``value`` if its type is the one of ``key`` (a list as a tuple), else UserError."""
    if key == "options":
        if not isinstance(value, Mapping):
            raise UserError(_FILE, key, f"{value!r}", "write a mapping")
        return value
    if key in ("languages", "splits", "train_languages", "asked_in"):
        if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
            raise UserError(_FILE, key, f"{value!r}", "write a list of names")
        return tuple(value)
    kinds: dict[str, tuple[type, ...]] = {
        "dev": (int, float),
        "labels": (int, float),
        "max_skipped": (int, float),
        "seed": (int,),
        "triples": (bool,),
    }
    if not isinstance(value, kinds.get(key, (str,))) or (isinstance(value, bool) and key != "triples"):
        numbers = dict.fromkeys(("dev", "labels", "max_skipped"), "a number")
        wanted = {**numbers, "seed": "a whole number", "triples": "true or false"}.get(key, "a name")
        raise UserError(_FILE, key, f"{value!r}", f"write {wanted}")
    return value


def base_role(role: str) -> str:
    """The role without the number of a further file."""
    base, plus, number = role.rpartition("+")
    return base if plus and number.isdecimal() else role


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is meant, or all of them."""
    known = list(dict.fromkeys(known))
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
