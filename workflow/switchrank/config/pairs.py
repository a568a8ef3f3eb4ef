"""Pairs of a query and a document language, and the tables that list them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from switchrank.core.errors import UserError, raise_all

PAIR_COLUMNS = ["id", "query", "document", "own_model"]


@dataclass(frozen=True)
class Pair:
    """A query and a document language; ``own_model`` says that pair-wise systems train a model for it."""

    query: str
    document: str
    own_model: bool

    @property
    def id(self) -> str:
        """``query-document``, as in file names."""
        return f"{self.query}-{self.document}"


def read_pairs(path: str | Path, languages: Sequence[str], query_languages: Sequence[str] | None = None) -> list[Pair]:
    """The pair table: TSV with columns ``id query document own_model``, one row per pair, ids unique.

    Documents are in ``languages``, and queries in ``query_languages``, by default in the same.

    Raises:
        UserError: missing file, wrong columns; or for each row an unknown language, an id twice or not
            ``query-document``.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(path, "", "no such pair table", "correct the path in testsets.*.pairs")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, delimiter="\t")
        if reader.fieldnames != PAIR_COLUMNS:
            raise UserError(path, "line 1", f"columns {reader.fieldnames}", f"write {' '.join(PAIR_COLUMNS)} with tabs")
        pairs: dict[str, Pair] = {}
        mistakes = []
        for number, row in enumerate(reader, 2):
            try:
                pair = _pair(path, f"line {number}", row, query_languages or languages, languages)
                if pair.id in pairs:
                    raise UserError(path, f"line {number}", f"pair {pair.id} twice", "keep one row")
            except UserError as error:
                mistakes.append(error)
            else:
                pairs[pair.id] = pair
    raise_all(mistakes)
    if not pairs:
        raise UserError(path, "", "no pairs", "add a row")
    return list(pairs.values())


def _pair(path: Path, place: str, row: dict[str, str], queries: Sequence[str], documents: Sequence[str]) -> Pair:
    for side, known in (("query", queries), ("document", documents)):
        if row[side] not in known:
            problem = f"the collection has no {'queries' if side == 'query' else 'documents'} in {row[side]}"
            raise UserError(path, place, problem, f"known: {', '.join(known)}")
    if row["own_model"] not in {"yes", "no"}:
        raise UserError(path, place, f"own_model {row['own_model']}", "write yes or no")
    pair = Pair(row["query"], row["document"], row["own_model"] == "yes")
    if row["id"] != pair.id:
        raise UserError(path, place, f"id {row['id']}", f"write {pair.id}")
    return pair
