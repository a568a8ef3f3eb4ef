"""What the picture of the ablation shows: curves and equivalences, sorted into panels by labelled language and by the
role that a test pair plays for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from switchrank.core.errors import UserError
from switchrank.formats.tables import EQUIVALENCE, Schema, read_table
from switchrank.report.data import PAIR, Languages, ordered_languages, pick, write_numbers

CURVE: Schema = {
    "start": pl.String,
    "language": pl.String,
    "query_lang": pl.String,
    "doc_lang": pl.String,
    "metric": pl.String,
    "examples": pl.Int64,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}
"""Columns read of a table of curves (others are let be): a mean over seeds and its confidence band."""
ROLES = {
    "same": "same language",
    "document": "{source} queries",
    "query": "{source} documents",
    "across": "other pairs of it",
    "source": "{source} only",
    "others": "other languages",
}
KEY = ["start", "language", *PAIR, "examples"]


@dataclass(frozen=True)
class Panel:
    """One language and role: its test pairs, and the frames of their points and equivalences."""

    language: str
    role: str
    points: pl.DataFrame
    needed: pl.DataFrame

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return sorted(self.points.select(PAIR).unique().rows())


def seed_means(rows: pl.DataFrame) -> pl.DataFrame:
    """Points of curves from ABLATION rows of one test set and metric, without a band: KEY, value, low, high."""
    means = rows.group_by(KEY, maintain_order=True).agg(pl.col("value").mean())
    return means.with_columns(low=pl.lit(None, dtype=pl.Float64), high=pl.lit(None, dtype=pl.Float64))


def read_curve(path: str | Path, testset: str, metric: str) -> pl.DataFrame:
    """Points of curves from a table with the columns of :data:`CURVE`: KEY, value, low, high.

    Raises:
        UserError: the table is missing, unreadable, lacks a column, or holds nothing of ``testset`` and ``metric``.
    """
    if not Path(path).is_file():
        raise UserError(path, "", "no such file", "run the stage that makes it, or correct the path")
    try:
        frame = pl.read_csv(path, infer_schema_length=None)
        missing = [name for name in CURVE if name not in frame.columns]
        if missing:
            raise UserError(path, "columns", f"no {missing[0]}", f"expected {', '.join(CURVE)}")
        frame = frame.with_columns([pl.col(name).cast(dtype) for name, dtype in CURVE.items()])
    except pl.exceptions.PolarsError as error:
        raise UserError(path, "", "not a readable table of curves", "delete it and rerun") from error
    wanted = {"testset": testset} if "testset" in frame.columns else {}
    return pick(frame, path, **wanted, metric=metric).select(*KEY, "value", "low", "high")


def read_needed(path: str | Path | None, testset: str, metric: str, reference: str) -> pl.DataFrame:
    """The EQUIVALENCE rows of one test set, metric and reference; none where there is no table."""
    if path is None:
        return pl.DataFrame(schema=EQUIVALENCE)
    of_this = {"testset": testset, "metric": metric, "reference": reference}
    return read_table(path, EQUIVALENCE).filter([pl.col(name) == value for name, value in of_this.items()])


def _role(language: str, query: str, document: str, source: str) -> str:
    if query == document:
        return "same" if query == language else "source" if query == source else "others"
    if document == language:
        return "document" if query == source else "across"
    if query == language:
        return "query" if document == source else "across"
    return "others"


def panels_of(points: pl.DataFrame, needed: pl.DataFrame, languages: Languages) -> list[Panel]:
    """Panels by role, then by language; only those with points."""
    source = str(languages["source"])
    roled = [frame.with_columns(role=_role_column(frame, source)) for frame in (points, needed)]
    panels = []
    for role in ROLES:
        for language in ordered_languages(points["language"], languages):
            cell = (pl.col("role") == role) & (pl.col("language") == language)
            own, reached = (frame.filter(cell) for frame in roled)
            if len(own):
                panels.append(Panel(language, role, own.sort("examples", maintain_order=True), reached))
    return panels


def _role_column(frame: pl.DataFrame, source: str) -> pl.Series:
    pairs = frame.select("language", *PAIR).iter_rows()
    return pl.Series([_role(language, query, document, source) for language, query, document in pairs], dtype=pl.String)


def drawn_points(panel: Panel) -> pl.DataFrame:
    """The main lines: a single pair's points, or means over the pairs that have the start and size, all or none."""
    if len(panel.pairs) == 1:
        return panel.points
    complete = panel.points.filter(pl.len().over("start", "examples") == len(panel.pairs))
    means = complete.group_by("start", "language", "examples", "role", maintain_order=True).agg(pl.col("value").mean())
    nothing = pl.lit(None, dtype=pl.Float64)
    mean = pl.lit("mean")
    return means.with_columns(query_lang=mean, doc_lang=mean, low=nothing, high=nothing).select(panel.points.columns)


def write_points(panels: list[Panel], testset: str, metric: str, table: str | Path) -> None:
    """Write the main lines of all panels as CSV."""
    frame = pl.concat([drawn_points(panel) for panel in panels])
    names = {"testset": pl.lit(testset), "metric": pl.lit(metric)}
    order = ["testset", "metric", "language", "role", "start", *PAIR, "examples", "value", "low", "high"]
    write_numbers(frame.with_columns(**names).select(order), table)
