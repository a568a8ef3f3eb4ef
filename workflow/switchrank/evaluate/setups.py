"""Means over the language pairs of a setup: within a language, across two, in pools of several; each system against the
baseline.

The value of a system is a macro-average, as Elmahdy et al. (2024, arXiv 2408.10536) report mAP: the mean over pairs of
the means over their queries. It is given for systems that rank every pair of the setup; of ranks in pools, which a
query without candidates has none of, for those that rank something for every query. What is tested is a sample of
queries: one that is asked in several pairs, as parallel questions are, is one query, and adds what it adds to the
macro-average. Tests are paired; the comparisons of all systems in all setups and test sets are corrected together, for
each metric and test.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.languages import setup
from switchrank.evaluate.significance import mean
from switchrank.evaluate.tables import SETTINGS, Cell, Row, Sample, Settings, compare_systems, correct, samples
from switchrank.formats.measures import FALLING
from switchrank.formats.tables import PER_QUERY, SETUPS, scan_table, write_table


class Setup(NamedTuple):
    """The pairs of a test set that are of one setup, under one metric."""

    testset: str
    setup: str
    metric: str


def macro_average(pairs: Sequence[Sample]) -> Sample:
    """What each query adds to the mean over pairs of the means over their queries, times the number of queries, so that
    the mean of ``values`` is that mean; where all pairs have the same queries, the mean of a query over pairs."""
    qids = pl.concat([pair.qids for pair in pairs])
    shares = np.concatenate([pair.values / (len(pair.values) * len(pairs)) for pair in pairs])
    number = qids.rank("dense").to_numpy().astype(np.int64) - 1
    asked = qids.unique().sort()
    values = np.bincount(number, weights=shares) * len(asked)
    return Sample(asked, values.astype(np.float64), min(pair.seeds for pair in pairs))


def setup_samples(cells: dict[Cell, dict[str, Sample]]) -> dict[Setup, tuple[int, dict[str, Sample]]]:
    """By setup the number of its pairs, and the samples of the systems that rank them all."""
    grouped: dict[Setup, list[dict[str, Sample]]] = {}
    for cell, systems in cells.items():
        found = Setup(cell.testset, setup(cell.query_lang, cell.doc_lang), cell.metric)
        grouped.setdefault(found, []).append(systems)
    averages = {}
    for found, pairs in grouped.items():
        names = dict.fromkeys(name for systems in pairs for name in systems)
        whole = [name for name in names if all(name in systems for systems in pairs)]
        averages[found] = len(pairs), {name: macro_average([systems[name] for systems in pairs]) for name in whole}
    return averages


def setup_rows(cells: dict[Cell, dict[str, Sample]], settings: Settings) -> list[Row]:
    """SETUPS rows: of the baseline and where it is missing one for each system, else one for each system and test."""
    plain, tested = [], []
    for found, (pairs, systems) in setup_samples(cells).items():
        labels = found._asdict() | {"pairs": pairs}
        alone = systems
        if settings.baseline in systems and len(systems) > 1:
            place = f"{found.testset} {found.setup}"
            rows, _ = compare_systems(systems, settings, labels=labels, place=place, draws=("setups", *found))
            tested += rows
            alone = {settings.baseline: systems[settings.baseline]}
        for system, sample in alone.items():
            counts = {"queries": len(sample.qids), "seeds": sample.seeds}
            plain.append(labels | counts | {"system": system, "value": mean(sample.values)})
    correct(tested, replace(settings, families="run"))
    return plain + tested


def _complete(scores: pl.DataFrame) -> pl.DataFrame:
    """PER_QUERY rows without those of systems that have no rank for a query of a pair that another system has one for;
    which these are is told on stderr."""
    keys = [*Cell._fields, "system"]
    asked, own = pl.col("qid").n_unique().over(keys[:-1]), pl.len().over(*keys, "seed")
    partial = (
        scores.filter(pl.col("metric").is_in(list(FALLING)) & (own < asked)).select(keys).unique(maintain_order=True)
    )
    for row in partial.iter_rows(named=True):
        place = f"{row['testset']} {row['query_lang']}-{row['doc_lang']}"
        print(f"setups: {row['system']} has no candidates for some queries of {place}: left out", file=sys.stderr)
    return scores.join(partial, on=keys, how="anti", maintain_order="left")


def setups_table(
    *,
    per_query: Sequence[str | Path],
    out: str | Path,
    metrics: Sequence[str] = ("map",),
    settings: Settings = SETTINGS,
    systems: Sequence[str] = (),
) -> None:
    """Write SETUPS: macro-averages over the language pairs of each setup, and the paired tests of them.

    Args:
        per_query: PER_QUERY tables (per_query.parquet, bias_per_query.parquet).
        out: table to write (.csv or .parquet); by system, test set, setup and metric.
        metrics: which.
        settings: what is compared and how; families span all setups.
        systems: their order in the table; the rest follow by name.

    Raises:
        UserError: a table is missing or has none of a metric, seeds or systems cover different queries.
    """
    wanted = pl.col("metric").is_in(list(metrics))
    scores = pl.concat([scan_table(path, PER_QUERY).filter(wanted) for path in per_query]).collect()
    lacking = [metric for metric in metrics if metric not in set(scores["metric"].unique())]
    if lacking:
        raise UserError(per_query[0], "metric", f"no {lacking[0]}", "name measures that were evaluated")
    rows = setup_rows(samples(_complete(scores), list(metrics)), settings)
    place = {system: number for number, system in enumerate(systems)}
    order = ("system", *Setup._fields)
    rows.sort(key=lambda row: (place.get(row["system"], len(place)), *(row[name] for name in order)))
    write_table(pl.DataFrame(rows, schema=pl.Schema(SETUPS)), out, SETUPS)
