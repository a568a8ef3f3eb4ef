"""The table of sweeps: what a setting does to retrieval, beside what it does to the training text and the lexicon."""

import json
from pathlib import Path

import polars as pl
from typing_extensions import TypedDict

from switchrank.core.errors import UserError
from switchrank.formats.tables import METRICS, QUALITY, SWEEP, read_table, write_table


class Swept(TypedDict):
    """One value of a sweep: the setting as text, the system that stands for it, its lexicon and corpus statistics."""

    sweep: str
    x: str
    system: str
    lexicon: str | None
    stats: list[str]


def sweep_table(
    *, points: list[Swept], metrics: str | Path, out: str | Path, quality: str | Path | None = None
) -> None:
    """Write SWEEP: the METRICS rows of every point, with the switch ratio of its corpus and the quality of its lexicon.

    Args:
        points: JSON list, one entry per value of a sweep, see below; ``stats`` are the ``stats.json`` files of the
            system's corpora.
        metrics: METRICS table (metrics.csv).
        out: table to write (.csv or .parquet); points in their order, rows as in ``metrics``.
        quality: QUALITY table of the lexicons (lexicon_quality.csv); ``p_at_1`` is the mean over its dictionaries for
            the lexicon of the point.

    Raises:
        UserError: a table or a file is missing, or a point's system has no metrics.
    """
    rows = read_table(metrics, METRICS).drop("run", "queries")
    qualities: dict[str, float] = {}
    if quality is not None:
        means = read_table(quality, QUALITY).group_by("lexicon").agg(pl.col("p_at_1").mean())
        qualities = dict(means.iter_rows())
    tables = []
    for point in points:
        found = rows.filter(system=point["system"])
        if found.is_empty():
            todo = f"rank it: sweep {point['sweep']} needs it"
            raise UserError(metrics, f"system {point['system']}", "no metrics", todo)
        measured = {"switched": switch_ratio(point["stats"]), "p_at_1": qualities.get(point["lexicon"] or "")}
        columns = {name: pl.lit(value, dtype=pl.Float64) for name, value in measured.items()}
        tables.append(found.with_columns(sweep=pl.lit(point["sweep"]), x=pl.lit(point["x"]), **columns))
    write_table(pl.concat(tables), out, SWEEP)


def switch_ratio(stats: list[str]) -> float:
    """Switched content words per content word over some corpora; 0 where nothing was switched."""
    totals = [json.loads(Path(path).read_text(encoding="utf-8")).get("total", {}) for path in stats]
    words = sum(total.get("content_tokens", 0) for total in totals)
    return sum(total.get("content_switched", 0) for total in totals) / words if words else 0.0
