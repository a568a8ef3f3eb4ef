"""What the tables of test sets say, in words, for people who do not read tables; of other columns nothing."""

from __future__ import annotations

from typing import Any

import polars as pl

from switchrank.formats.tables import EXPOSURE, TESTSETS


def told_testsets(table: pl.DataFrame) -> list[str]:
    """A line for each document language of a test set whose candidates serve pairs that they were not searched for.

    Candidates by a given run are told too: nobody knows from here what was searched.
    """
    if not TESTSETS.keys() <= set(table.columns):
        return []
    return [_found_by_others(row) for row in table.iter_rows(named=True) if row["own_recall"] is not None]


def _found_by_others(row: dict[str, Any]) -> str:
    searches = [pair.partition("-")[::2] for pair in row["search"].split()]
    found = "were found by " + " and ".join(f"{query} queries on {document} documents" for query, document in searches)
    how = "come from a given ranking" if row["search"] == "run" else found
    by_lexicon = row["translated_recall"]
    rest = "" if by_lexicon is None else f", and for {by_lexicon:.1%} with all texts translated by a lexicon of the run"
    return (
        f"{row['testset']}, documents in {row['doc_lang']}: the candidates {how}, and their ids serve every query "
        f"language; {row['candidate_recall']:.1%} of the queries have a relevant one among them. Who asks in another "
        "language than that of the documents has no such list without translations: BM25 with the query as it is finds "
        f"a relevant document for {row['own_recall']:.1%}{rest}."
    )


def told_exposure(table: pl.DataFrame) -> list[str]:
    """A line for each test set and each collection that is learnt from."""
    if not EXPOSURE.keys() <= set(table.columns):
        return []
    return [_met(row) for row in table.iter_rows(named=True)]


def _met(row: dict[str, Any]) -> str:
    labels = ("negatives", "positives")
    every = " and ".join(f"{_share(row, label, 'documents')} are {label}" for label in labels)
    relevant = " and ".join(f"{_share(row, f'relevant_{label}', 'relevant')} are {label}" for label in labels)
    return (
        f"{row['testset']}: of {row['documents']} documents that are ranked, {every} of training queries of "
        f"{row['training']}; of {row['relevant']} that are relevant, {relevant}. Compared by {row['by']}."
    )


def _share(row: dict[str, Any], part: str, whole: str) -> str:
    return f"{row[part]} ({row[part] / row[whole]:.0%})" if row[whole] else str(row[part])
