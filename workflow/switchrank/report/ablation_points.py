"""What the picture of the ablation shows: curves and equivalences, sorted into panels by labelled language and by the
role that a test pair plays for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from switchrank.core.errors import UserError
from switchrank.formats.tables import CURVE, EQUIVALENCE, read_table
from switchrank.report.data import PAIR, Languages, pick

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

    def means(self) -> pl.DataFrame:
        """The main lines: a single pair's points, or means over the pairs that have the start and size, all or none."""
        if len(self.pairs) == 1:
            return self.points
        complete = self.points.filter(pl.len().over("start", "examples") == len(self.pairs))
        keys = ["start", "language", "examples", "role"]
        means = _without_band(complete.group_by(keys, maintain_order=True).agg(pl.col("value").mean()))
        return means.with_columns(query_lang=pl.lit("mean"), doc_lang=pl.lit("mean")).select(self.points.columns)


def _without_band(means: pl.DataFrame) -> pl.DataFrame:
    nothing = pl.lit(None, dtype=pl.Float64)
    return means.with_columns(low=nothing, high=nothing)


def seed_means(rows: pl.DataFrame) -> pl.DataFrame:
    """Points of curves from ABLATION rows of one test set and metric, without a band: KEY, value, low, high."""
    return _without_band(rows.group_by(KEY, maintain_order=True).agg(pl.col("value").mean()))


def read_curve(path: str | Path, testset: str, metric: str) -> pl.DataFrame:
    """Points of curves from a table like CURVE, in which the test set and how many there are may be missing, and other
    columns are passed over: KEY, value, low, high.

    Raises:
        UserError: the table is missing, unreadable, lacks a column, or holds nothing of ``testset`` and ``metric``.
    """
    if not Path(path).is_file():
        raise UserError(path, "", "no such file", "run the stage that makes it, or correct the path")
    needed = {name: dtype for name, dtype in CURVE.items() if name not in ("testset", "queries", "seeds")}
    try:
        frame = pl.read_csv(path, infer_schema_length=None)
        missing = [name for name in needed if name not in frame.columns]
        if missing:
            raise UserError(path, "columns", f"no {missing[0]}", f"expected {', '.join(needed)}")
        frame = frame.with_columns([pl.col(name).cast(dtype) for name, dtype in needed.items()])
    except pl.exceptions.PolarsError as error:
        raise UserError(path, "", "not a readable table of curves", "delete it and rerun") from error
    wanted = {"testset": testset} if "testset" in frame.columns else {}
    return pick(frame, path, **wanted, metric=metric).select(*KEY, "value", "low", "high")


def read_needed(path: str | Path | None, testset: str, metric: str, reference: str) -> pl.DataFrame:
    """The EQUIVALENCE rows of one test set, metric and reference; none where there is no table."""
    if path is None:
        return pl.DataFrame(schema=EQUIVALENCE)
    return read_table(path, EQUIVALENCE).filter(testset=testset, metric=metric, reference=reference)


def _role(source: str) -> pl.Expr:
    """The role of a test pair for the labelled language, a key of :data:`ROLES`."""
    query, document, language = (pl.col(name) for name in (*PAIR, "language"))
    roles = {
        "same": (query == document) & (query == language),
        "source": (query == document) & (query == source),
        "document": (document == language) & (query == source),
        "query": (query == language) & (document == source),
        "across": (query != document) & ((query == language) | (document == language)),
    }
    return pl.coalesce([*(pl.when(holds).then(pl.lit(role)) for role, holds in roles.items()), pl.lit("others")])


def panels_of(points: pl.DataFrame, needed: pl.DataFrame, languages: Languages) -> list[Panel]:
    """Panels by role, then by language; only those with points."""
    points, needed = (frame.with_columns(role=_role(languages.source)) for frame in (points, needed))
    panels = []
    for role in ROLES:
        for language in languages.ordered(points["language"]):
            cell = {"role": role, "language": language}
            own = points.filter(**cell)
            if len(own):
                panels.append(Panel(language, role, own.sort("examples", maintain_order=True), needed.filter(**cell)))
    return panels
