"""The table of sweeps: what a setting does to retrieval, beside what it does to the training text and the lexicon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

import polars as pl

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

    ``switched`` is the share of content words that were switched, over both sides and all corpora of the system.

    Raises:
        UserError: a table or a file is missing, or a point's system has no metrics.
    """
    rows = read_table(metrics, METRICS).drop("run", "queries")
    known = {} if quality is None else _quality(quality)
    tables = []
    for point in points:
        found = rows.filter(pl.col("system") == point["system"])
        if found.is_empty():
            raise UserError(
                metrics, f"system {point['system']}", "no metrics", f"rank it: sweep {point['sweep']} needs it"
            )
        labels = {
            "sweep": pl.lit(point["sweep"]),
            "x": pl.lit(point["x"]),
            "switched": pl.lit(switch_ratio(point["stats"]), dtype=pl.Float64),
            "p_at_1": pl.lit(known.get(point["lexicon"] or ""), dtype=pl.Float64),
        }
        tables.append(found.with_columns(**labels))
    write_table(pl.concat(tables), out, SWEEP)


def switch_ratio(stats: list[str]) -> float:
    """Switched content words per content word over some corpora; 0 where nothing was switched."""
    totals = [json.loads(Path(path).read_text(encoding="utf-8")).get("total", {}) for path in stats]
    words = sum(total.get("content_tokens", 0) for total in totals)
    return sum(total.get("content_switched", 0) for total in totals) / words if words else 0.0


def _quality(path: str | Path) -> dict[str, float]:
    means = read_table(path, QUALITY).group_by("lexicon").agg(pl.col("p_at_1").mean())
    return dict(means.iter_rows())
