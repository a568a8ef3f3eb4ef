"""Which formats there are, and what a collection is: its checked specification, its files, what its reader hands on.

Every folder here that has a section is a format. Modules of a format are imported by name when they are needed, so that
the code digest of a collection follows its own reader and no other format's code. A folder whose files are written as
those of another format has no reader; ``READ_AS`` in its ``__init__.py`` names the other's folder. Standard library
only: a workflow asks for names of files while it is being parsed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from switchrank.core.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_ROOM = Path(__file__).parent
_ALSO = {"datasets": "parquet"}
"""Second names of formats."""
SPLITS = ("train", "dev", "test")
EXCLUDED = "excluded.json"
"""The record of what a collection was left without."""
Relevance = Literal["judged", "gold", "answer"]
"""What makes a document relevant: people judged it, it is the passage that the question was asked about, or it holds
one of the answers word for word."""
_FILE = "collection"
_NAMES = ("languages", "splits", "train_languages", "asked_in")
_KINDS: dict[str, tuple[Any, str]] = {
    **dict.fromkeys(_NAMES, ((list, tuple), "a list of names")),
    **dict.fromkeys(("dev", "labels", "max_skipped"), ((int, float), "a number")),
    "seed": (int, "a whole number"),
    "triples": (bool, "true or false"),
    "options": (Mapping, "a mapping"),
}
"""Types of the keys, and how to say so; the others are names."""


@cache
def folders() -> dict[str, str]:
    """The folder of each format by its name, in alphabetical order."""
    found = sorted(file.parent.name for file in _ROOM.glob("*/section.py"))
    return {folder.replace("_", "-"): folder for folder in found}


def names() -> list[str]:
    """Every name that a format goes by."""
    return sorted([*folders(), *_ALSO])


def module_of(folder: str, part: str) -> str:
    """The full name of a module of a format's folder, such as its ``reader``."""
    return f"switchrank.collections.{folder}.{part}"


def code_of(format: str) -> str:
    """The module whose digest covers how a format is read, as :func:`switchrank.core.digest.code_digest` names it."""
    folder = folders()[_ALSO.get(format, format)]
    read_as = getattr(import_module(f"switchrank.collections.{folder}"), "READ_AS", folder)
    return f"collections.{read_as}.reader"


def recognisers() -> list[str]:
    """The full names of the modules that tell how files are recognised."""
    return [module_of(file.parent.name, "recognise") for file in sorted(_ROOM.glob("*/recognise.py"))]


@dataclass(frozen=True)
class CollectionSpec:
    """The specification of one collection.

    Attributes:
        format: one of :func:`names`.
        languages: languages of the documents.
        splits: query sets the input files hold.
        dev: share of the training queries to cut off for development, by whole groups; 0 cuts nothing.
        labels: share of the training queries to cut off as labelled examples, likewise.
        documents_as: what a document is in ``squad`` data, ``paragraphs`` or ``sentences``.
        source: the language of training and development queries.
        seed: chooses the groups that are cut off.
        triples: whether the data brings training triples.
        train_languages: further languages that training queries exist in, under the ids of the source's.
        asked_in: query languages of the test split; none means those of the documents.
        max_skipped: largest share of a file's rows that may be left out as unusable.
        excluding: the collection whose questions are left out (:mod:`switchrank.sources.exclude`); empty: none.
        options: further settings of the format's reader, as plain JSON values.
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
    excluding: str = ""
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
                raise UserError(_FILE, key, "unknown key", _nearest(key, known))
        for key in ("format", "languages"):
            if key not in spec:
                raise UserError(_FILE, key, "missing", "add it")
        checked = cls(**{key: _typed(key, value) for key, value in spec.items()})
        checked._check()
        return checked

    def _check(self) -> None:
        for key, allowed in (("format", names()), ("documents_as", ["paragraphs", "sentences"])):
            if getattr(self, key) not in allowed:
                raise UserError(_FILE, key, f"{getattr(self, key)!r}", f"write one of {', '.join(allowed)}")
        for key, share in (("dev", self.dev), ("labels", self.labels)):
            if not 0 <= share < 1:
                raise UserError(_FILE, key, f"{share!r}", "write a share from 0 up to but without 1")
        if not 0 <= self.max_skipped <= 1:
            raise UserError(_FILE, "max_skipped", f"{self.max_skipped!r}", "write a share from 0 to 1")
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
        """Languages a split has queries in; all but the test split: the source and the training languages."""
        return list(self.asked_in or self.languages) if split == "test" else [self.source, *self.train_languages]

    def judged_languages(self, split: str) -> list[str]:
        """Languages of documents that a split has judgements for: all for test, else those of the queries."""
        return list(self.languages) if split == "test" else [self.source, *self.train_languages]

    @staticmethod
    def parts(files: Mapping[str, str], role: str) -> list[str]:
        """The files of a role in reading order: ``documents/en``, then ``documents/en+1``, ``documents/en+2``, ..."""
        numbered = [
            (int(name.partition("+")[2] or 0), path) for name, path in files.items() if _base_role(name) == role
        ]
        return [path for _, path in sorted(numbered)]

    def outputs(self) -> list[str]:
        """Names of the tables, relative to the collection's folder."""
        names = [f"documents-{language}.parquet" for language in self.languages]
        for split in self.written_splits:
            names += [f"queries-{split}-{language}.parquet" for language in self.query_languages(split)]
            names += [f"judgements-{split}-{language}.parquet" for language in self.judged_languages(split)]
        return names + (["triples-train.parquet"] if self.triples else []) + ([EXCLUDED] if self.excluding else [])


@dataclass(frozen=True)
class Parsed:
    """One collection as read, before any query is left out or cut; its documents are on disk already.

    Attributes:
        queries: QUERIES frames by ``(split, query language)``.
        judgements: JUDGEMENTS frames by ``(split, document language)``; every id in them exists.
        documents: number of documents by language.
        triples: a parquet file of TRIPLES, or None.
        relevance: what makes a document relevant.
    """

    queries: dict[tuple[str, str], pl.DataFrame]
    judgements: dict[tuple[str, str], pl.DataFrame]
    documents: dict[str, int]
    triples: Path | None = None
    relevance: Relevance = "judged"


def check_files(spec: CollectionSpec, files: Mapping[str, str]) -> None:
    """Raise UserError unless ``files`` holds the roles that the format needs, and no others; no file is looked at."""
    _reader(spec.format).check_roles(spec, files)


def read_files(spec: CollectionSpec, files: Mapping[str, str], folder: Path) -> Parsed:
    """Read a collection from its ``files`` by role; its DOCUMENTS are written into ``folder`` on the way.

    Raises:
        UserError: an option that the format does not have, a defect of a file, or too many rows left out.
    """
    read = _reader(spec.format).read_collection
    known = [name for name, one in signature(read).parameters.items() if one.kind is one.KEYWORD_ONLY]
    for name in spec.options:
        if name not in known:
            problem = f"not an option of the format {spec.format}"
            raise UserError("collection", f"options.{name}", problem, f"known: {', '.join(known) or 'none'}")
    parsed: Parsed = read(spec, files, folder, **spec.options)
    return parsed


def _reader(format: str) -> Any:
    return import_module(f"switchrank.{code_of(format)}")


def check_separate(spec: CollectionSpec, files: Mapping[str, str]) -> None:
    """Raise UserError for a missing or unknown role where documents, queries and judgements are files of their own."""
    needed = [
        *(f"documents/{language}" for language in spec.languages),
        *(f"queries/{split}/{language}" for split in spec.splits for language in spec.query_languages(split)),
        *(f"judgements/{split}" for split in spec.splits),
        *(["triples/train"] if spec.triples else []),
    ]
    check_known(files, [*needed, "groups", "triples/train"])
    for role in needed:
        if role not in files:
            raise UserError(_FILE, f"files.{role}", "missing", "name the input file")
    if "triples/train" in files and not spec.triples:
        raise UserError(_FILE, "files.triples/train", "triples are not announced", "set triples: true")


def check_sides(spec: CollectionSpec, files: Mapping[str, str]) -> None:
    """Raise UserError for a role that is not a split and one or two languages, or a document language with no file."""
    refuse_triples(spec, files)
    sides = [*dict.fromkeys([*spec.languages, *spec.query_languages("test")])]
    pairs = [f"{query}/{document}" for query in sides for document in sides if query != document]
    check_known(files, [f"{split}/{side}" for split in spec.splits for side in [*sides, *pairs]])
    for language in spec.languages:
        if not any(language in role.split("/")[1:] for role in files):
            raise UserError(_FILE, f"languages.{language}", "no file in this language", "add one or drop it")


def check_known(files: Mapping[str, str], known: Iterable[str]) -> None:
    """Raise UserError for a role that is none of the known ones, or a further file of one."""
    known = list(known)
    for role in files:
        if _base_role(role) not in known:
            raise UserError(_FILE, f"files.{role}", "unknown role", _nearest(role, known))


def refuse_triples(spec: CollectionSpec, _files: Mapping[str, str]) -> None:
    """Raise UserError where triples are announced of a format that has none."""
    if spec.triples:
        raise UserError(_FILE, "triples", f"not part of the format {spec.format}", "leave the key out")


def _typed(key: str, value: Any) -> Any:
    """``value`` if its type is the one of ``key`` (a list as a tuple), else UserError."""
    kinds, wanted = _KINDS.get(key, (str, "a name"))
    fits = isinstance(value, kinds) and (key == "triples" or not isinstance(value, bool))
    if not fits or (key in _NAMES and not all(isinstance(part, str) for part in value)):
        raise UserError(_FILE, key, f"{value!r}", f"write {wanted}")
    return tuple(value) if key in _NAMES else value


def _base_role(role: str) -> str:
    base, plus, number = role.rpartition("+")
    return base if plus and number.isdecimal() else role


def _nearest(word: str, known: Iterable[str]) -> str:
    known = list(dict.fromkeys(known))
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
