"""The table of the ablation: one value per row, test pair and metric, for any tool that draws or tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.ablation.scores import Paths, mean, read_scores
from switchrank.core.errors import UserError
from switchrank.formats.tables import ABLATION, write_table


def ablation_table(
    *, per_query: Paths, rows: Sequence[Mapping[str, Any]], out: str | Path, records: Sequence[str | Path] = ()
) -> None:
    """Write ABLATION: the mean over queries, correctly rounded, of every run of every row.

    Args:
        per_query: PER_QUERY tables in which each row's id is a system.
        rows: the ablation table (.tsv), each row a mapping ``id start language examples seed``.
        out: table to write (.csv); in the order of ``rows``, then by test set, pair and metric.
        records: the train.json of every tuned model, which names its row.

    Raises:
        UserError: see :func:`switchrank.ablation.scores.read_scores`; no readable record for a row with examples.
    """
    epochs = _epochs(records)
    missing = next((row["id"] for row in rows if row["examples"] and row["id"] not in epochs), None)
    if missing is not None:
        raise UserError("ablation", f"row {missing}", "no training record", "give the train.json of every tuned model")
    means = [
        (
            *astuple(run.row),
            run.testset,
            run.query_lang,
            run.doc_lang,
            run.metric,
            mean(run.values),
            epochs.get(run.row.id, 0.0),
        )
        for run in read_scores(per_query, rows)
    ]
    write_table(pl.DataFrame(means, schema=pl.Schema(ABLATION), orient="row"), out, ABLATION)


def _epochs(records: Sequence[str | Path]) -> dict[str, float]:
    """Passes over the training pairs by row."""
    found = {}
    for path in records:
        try:
            told = json.loads(Path(path).read_text(encoding="utf-8"))
            found[str(told["system"])] = float(told["epochs"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"no record of a tuned model ({type(error).__name__} {error})"
            raise UserError(path, "", problem, "give the train.json of a row's model, or tune it again") from error
    return found
