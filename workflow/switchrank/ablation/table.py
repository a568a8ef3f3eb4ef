"""The table of the ablation: one value per row, test pair and metric, for any tool that draws or tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.ablation.scores import Paths, mean, read_scores
from switchrank.formats.tables import ABLATION, write_table


def ablation_table(*, per_query: Paths, rows: Sequence[Mapping[str, Any]], out: str | Path) -> None:
    """Write ABLATION: the mean over queries, correctly rounded, of every run of every row.

    Args:
        per_query: PER_QUERY in which the runs of a row have its id as their system; one table or several.
        rows: the ablation table, each row a mapping ``id start language examples seed``.
        out: the CSV; in the order of ``rows``, then by test set, pair and metric.

    Raises:
        UserError: see :func:`switchrank.ablation.scores.read_scores`.
    """
    means = [
        (*astuple(run.row), run.testset, run.query_lang, run.doc_lang, run.metric, mean(run.values))
        for run in read_scores(per_query, rows)
    ]
    write_table(pl.DataFrame(means, schema=pl.Schema(ABLATION), orient="row"), out, ABLATION)
