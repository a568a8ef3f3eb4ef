"""Pairs of a query and a document language, and the tables that list them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from switchrank.core.errors import UserError, raise_all
from switchrank.formats.written import by_column, written_rows

PAIR_COLUMNS = ["id", "query", "document", "own_model"]


@dataclass(frozen=True)
class Pair:
    """A query and a document language; ``own_model`` says that pair-wise systems train a model for it."""

    query: str
    document: str
    own_model: bool

    @property
    def id(self) -> str:
        return f"{self.query}-{self.document}"


def read_pairs(path: str | Path, languages: Sequence[str], query_languages: Sequence[str] | None = None) -> list[Pair]:
    """The pair table: TSV with columns ``id query document own_model``, one row per pair, ids unique.

    Documents are in ``languages``, and queries in ``query_languages``, by default in the same.

    Raises:
        UserError: a missing or unreadable file, wrong columns; or for each row an unknown language, an id twice or not
            ``query-document``.
    """
    pairs: dict[str, Pair] = {}
    mistakes = []
    for place, cells in written_rows(path, PAIR_COLUMNS, "pair", "correct the path in testsets.*.pairs"):
        try:
            row = by_column(path, place, cells[: len(PAIR_COLUMNS)], PAIR_COLUMNS)  # notes may stand behind them
            pair = _pair(path, place, row, query_languages or languages, languages)
            if pair.id in pairs:
                raise UserError(path, place, f"pair {pair.id} twice", "keep one row")
        except UserError as error:
            mistakes.append(error)
        else:
            pairs[pair.id] = pair
    raise_all(mistakes)
    if not pairs:
        raise UserError(path, "", "no pairs", "add a row")
    return list(pairs.values())


def _pair(path: str | Path, place: str, row: dict[str, str], queries: Sequence[str], documents: Sequence[str]) -> Pair:
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
