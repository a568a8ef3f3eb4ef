"""The tables of a run: metrics per system, pair and seed; per-query scores; significance and size of differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from switchrank.core.errors import UserError
from switchrank.evaluate.comparisons import Row, Settings, compare, samples
from switchrank.evaluate.groups import Languages, setup
from switchrank.formats.tables import EFFECTS, METRICS, PER_QUERY, SIGNIFICANCE, read_table, write_table

_SERIES = ["system", "testset", "query_lang", "doc_lang", "seed", "metric"]


LANGUAGES, SETTINGS = Languages(), Settings()


def metric_rows(scores: pl.DataFrame, *, run: str, languages: Languages) -> list[Row]:
    """One METRICS row for each system, pair, seed and metric of PER_QUERY ``scores``. Means are correctly rounded."""
    rows = []
    for keys, group in scores.group_by(_SERIES, maintain_order=True):
        row = dict(zip(_SERIES, keys, strict=True))
        pair = (row["query_lang"], row["doc_lang"])
        if group["qid"].n_unique() < len(group):
            place = f"{row['system']} {row['testset']} {pair[0]}-{pair[1]} seed {row['seed']}"
            raise UserError("evaluate", place, "a query is scored twice", "give every test set and run once")
        labels = {"run": run, "setup": setup(*pair), "seen": languages.seen_sides(row["testset"], *pair)}
        value = math.fsum(group["value"]) / len(group)
        rows.append(row | labels | {"value": value, "queries": len(group)})
    return rows


def make_tables(
    *,
    per_query: Sequence[str | Path],
    run: str,
    out: str | Path,
    languages: Languages = LANGUAGES,
    settings: Settings = SETTINGS,
    systems: Sequence[str] = (),
    tested: Sequence[str] = ("mrr@10",),
) -> None:
    """Write METRICS, PER_QUERY, SIGNIFICANCE and EFFECTS of a whole run from the PER_QUERY tables of its test sets.

    SIGNIFICANCE has one row for each test, and marks in summaries come from the first.

    Args:
        per_query: one PER_QUERY table per test set.
        run: name of the run.
        out: folder for the four tables: metrics.csv, per_query.parquet, significance.csv, effects.csv.
        languages: which are seen, and what mixed sides mix.
        settings: what is compared and how.
        systems: order of systems in the tables; the rest follow by name.
        tested: metrics tested.

    Raises:
        UserError: an unknown test, family or correction, an unknown language, a baseline that no test set has, systems
            that cover different queries, a test set twice, too few permutations or resamples.
    """
    scores = pl.concat([read_table(path, PER_QUERY) for path in per_query])
    if settings.baseline not in scores["system"].unique().to_list():
        raise UserError("evaluate", "baseline", f"no run of {settings.baseline}", "name a system that was ranked")
    metrics = metric_rows(scores, run=run, languages=languages)
    significance, effects = compare(samples(scores, list(tested)), settings)
    folder = Path(out)
    write_table(scores, folder / "per_query.parquet", PER_QUERY)
    place = {system: number for number, system in enumerate(systems)}
    columns = ["testset", "setup", "query_lang", "doc_lang"]
    for name, rows, schema, order in [
        ("metrics", metrics, METRICS, [*columns, "seed", "metric"]),
        ("significance", significance, SIGNIFICANCE, [*columns, "metric"]),
        ("effects", effects, EFFECTS, [*columns, "metric"]),
    ]:
        # By system as declared (others after them by name), then by what it was tested on.
        rows.sort(key=lambda row: [place.get(row["system"], len(place)), *(row[part] for part in ["system", *order])])
        write_table(pl.DataFrame(rows, schema=pl.Schema(schema)), folder / f"{name}.csv", schema)
