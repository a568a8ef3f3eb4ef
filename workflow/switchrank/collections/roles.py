"""Which files a collection of a format needs, by role, and that those given are these and no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from switchrank.collections.spec import CollectionSpec, base_role, nearest
from switchrank.core.errors import UserError

_FILE = "collection"


def check_separate(spec: CollectionSpec, files: Mapping[str, str]) -> None:
    """Check the roles of a collection whose documents, queries and judgements are files of their own.

    Raises:
        UserError: a role is missing or unknown; ``place`` is the role.
    """
    asked = [f"{split}/{language}" for split in spec.splits for language in spec.query_languages(split)]
    needed = [
        *(f"documents/{language}" for language in spec.languages),
        *(f"queries/{role}" for role in asked),
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
    """Check roles that are a split and one language, or a split, a query language and a document language.

    Raises:
        UserError: a role is unknown, or a language has no file.
    """
    refuse_triples(spec, files)
    sides = [*dict.fromkeys([*spec.languages, *(spec.asked_in or spec.languages)])]
    pairs = [f"{query}/{document}" for query in sides for document in sides if query != document]
    check_known(files, [f"{split}/{side}" for split in spec.splits for side in [*sides, *pairs]])
    for language in spec.languages:
        if not any(language in role.split("/")[1:] for role in files):
            raise UserError(_FILE, f"languages.{language}", "no file in this language", "add one or drop it")


def check_known(files: Mapping[str, str], known: Iterable[str]) -> None:
    """Raise UserError for a role that is none of the known ones, or a further file of one."""
    known = list(known)
    for role in files:
        if base_role(role) not in known:
            raise UserError(_FILE, f"files.{role}", "unknown role", nearest(role, known))


def refuse_triples(spec: CollectionSpec, _files: Mapping[str, str]) -> None:
    """Raise UserError where triples are announced of a format that has none."""
    if spec.triples:
        raise UserError(_FILE, "triples", f"not part of the format {spec.format}", "leave the key out")
