"""What a format reader hands to the builder: queries and judgements as read, before any query is left out or cut."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

Relevance = Literal["judged", "gold", "answer"]
"""What makes a document relevant: people judged it, it is the passage that the question was asked about, or it holds
one of the answers word for word."""


@dataclass(frozen=True)
class Parsed:
    """One collection as read; its documents are on disk already.

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
