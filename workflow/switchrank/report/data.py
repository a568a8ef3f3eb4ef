"""What the pictures read: the rows of one test set and metric, in a fixed order, with unseen languages known.

Order is part of the message: the source language first, then languages seen in training, then unseen ones; the
baseline before the other systems; reference rows (``random``, ``bm25``) apart from both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.formats.tables import METRICS, PER_QUERY, SIGNIFICANCE, Schema, read_table

Languages = dict[str, Any]
"""``{"source": "en", "seen": ["de", ...], "unseen": ["fr", ...]}``."""
REFERENCES = ("random", "bm25")
"""Rows that are no trained system: drawn muted, never compared with the baseline."""
SETUPS = {
    "moir": "MoIR: query and documents in the same language",
    "clir": "CLIR: query and documents in different languages",
    "mlir": "MLIR: several languages mixed on one side or both",
}
SHORT = {"moir": "MoIR", "clir": "CLIR", "mlir": "MLIR"}
PAIR = ["query_lang", "doc_lang"]
MIXED = "xx"
"""The language of a side of several languages."""


@dataclass(frozen=True)
class Pair:
    """A row of a picture: languages of queries and documents, and which of the two was not in training."""

    query: str
    document: str
    setup: str
    seen: str

    @property
    def label(self) -> str:
        """``de-fr*``: an asterisk follows each language that was not in training."""
        query, document = starred(self.query, not self.query_seen), starred(self.document, not self.document_seen)
        return f"{query}-{document}"

    @property
    def query_seen(self) -> bool:
        return self.seen in ("both", "query")

    @property
    def document_seen(self) -> bool:
        return self.seen in ("both", "document")


def starred(language: str, unseen: bool) -> str:
    """The label of a language: ``fr*`` when it was not in training."""
    return f"{language}*" if unseen else language


def language_order(languages: Languages) -> dict[str, int]:
    """Rank of each language: source, seen, unseen, each in the order given."""
    listed = [languages["source"], *languages.get("seen", []), *languages.get("unseen", [])]
    return {language: rank for rank, language in enumerate(dict.fromkeys(listed))}


def ordered_languages(found: Iterable[str], languages: Languages) -> list[str]:
    """``found`` without repeats in the order of :func:`language_order`; languages listed nowhere follow, by code."""
    order = language_order(languages)
    return sorted(set(found), key=lambda language: (order.get(language, len(order)), language))


def pairs_of(frame: pl.DataFrame, languages: Languages) -> list[Pair]:
    """The pairs of a METRICS frame: by setup, pairs with an unseen language last, then by language."""
    order = language_order(languages)
    last = len(order)
    pairs = {Pair(*row) for row in frame.select(*PAIR, "setup", "seen").iter_rows()}

    def rank(pair: Pair) -> tuple[int, bool, int, int, str, str]:
        place = list(SETUPS).index(pair.setup) if pair.setup in SETUPS else len(SETUPS)
        query, document = order.get(pair.query, last), order.get(pair.document, last)
        return place, pair.seen != "both", query, document, pair.query, pair.document

    return sorted(pairs, key=rank)


def with_pairs(frame: pl.DataFrame, languages: Languages) -> pl.DataFrame:
    """``frame`` (columns query_lang, doc_lang) with ``setup`` and ``seen`` of each row, for :func:`pairs_of`.

    For tables that do not carry the two. A mixed side counts as seen: which languages it mixes is not in the table.
    """
    unseen = list(languages.get("unseen", []))
    query, document = (~pl.col(side).is_in(unseen) for side in PAIR)
    mixed = (pl.col("query_lang") == MIXED) | (pl.col("doc_lang") == MIXED)
    same = pl.col("query_lang") == pl.col("doc_lang")
    setup = pl.when(mixed).then(pl.lit("mlir")).when(same).then(pl.lit("moir")).otherwise(pl.lit("clir"))
    seen = pl.when(query & document).then(pl.lit("both")).when(query).then(pl.lit("query"))
    return frame.with_columns(setup=setup, seen=seen.when(document).then(pl.lit("document")).otherwise(pl.lit("none")))


def systems_of(frame: pl.DataFrame, baseline: str, references: Iterable[str]) -> tuple[list[str], list[str]]:
    """Trained systems (baseline first, then in table order) and the reference rows present, in table order."""
    found = frame["system"].unique(maintain_order=True).to_list()
    shown = [name for name in found if name in set(references)]
    systems = [name for name in found if name not in shown]
    return sorted(systems, key=lambda name: name != baseline), shown


def pick(frame: pl.DataFrame, path: str | Path, **wanted: str) -> pl.DataFrame:
    """The rows whose columns equal ``wanted``, checked one column at a time.

    Raises:
        UserError: nothing is left; the line names the first column at fault and the values there are.
    """
    for column, value in wanted.items():
        rows = frame.filter(pl.col(column) == value)
        if rows.is_empty():
            known = ", ".join(frame[column].unique(maintain_order=True).cast(pl.String).to_list()[:20])
            todo = f"choose one of: {known}" if known else "the table is empty: run the stage that makes it"
            raise UserError(path, column, f"no row with {column} {value!r}", todo)
        frame = rows
    return frame


def write_numbers(frame: pl.DataFrame, path: str | Path) -> None:
    """Write the numbers of a picture as CSV, whole or not at all."""
    with atomic_path(path) as temporary:
        frame.write_csv(temporary)


def metric_rows(path: str | Path, testset: str, metric: str) -> pl.DataFrame:
    """METRICS rows of one test set and metric, in table order."""
    return pick(read_table(path, METRICS), path, testset=testset, metric=metric)


def gain_rows(path: str | Path, testset: str, metric: str, baseline: str) -> pl.DataFrame:
    """SIGNIFICANCE rows of one test set, metric and baseline, in table order; of several tests, the first one's."""
    table = read_table(path, SIGNIFICANCE)
    return pick(
        table.filter(pl.col("test") == table["test"].first()), path, testset=testset, metric=metric, baseline=baseline
    )


def query_rows(path: str | Path, testset: str, metric: str) -> pl.DataFrame:
    """PER_QUERY values of one test set and metric, averaged over seeds: system, query_lang, doc_lang, qid, value.

    Only the wanted rows are read: the table holds every query of every run.
    """
    frame = scan_table(path, PER_QUERY).filter(pl.col("testset") == testset, pl.col("metric") == metric).collect()
    if frame.is_empty():
        raise UserError(path, "", f"no rows of test set {testset!r} and metric {metric!r}", "rerun evaluate")
    keys = ["system", *PAIR, "qid"]
    return frame.group_by(keys).agg(pl.col("value").mean()).sort(keys)


def scan_table(path: str | Path, schema: Schema) -> pl.LazyFrame:
    """A parquet table of ours, unread: for tables of which a picture needs few rows.

    Raises:
        UserError: the file is missing, no parquet, or its columns are not those of ``schema``.
    """
    if not Path(path).is_file():
        raise UserError(path, "", "no such file", "run the stage that makes it, or correct the path")
    lazy = pl.scan_parquet(path)
    try:
        found = dict(lazy.collect_schema())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UserError(path, "", "not a readable parquet table", "delete it and rerun") from error
    if found != dict(pl.Schema(schema)):
        raise UserError(path, "columns", f"found {list(found)}", f"expected {list(schema)}")
    return lazy
