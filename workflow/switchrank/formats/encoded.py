"""The vectors of a table's texts: a matrix in its order (``.npy``), and beside it what made them (``.json``)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.formats.matrices import Floats, open_matrix
from switchrank.formats.tables import Schema, scan_table


def read_ids(table: str | Path, schema: Schema) -> pl.Series:
    """The ids of a table of texts, which is not read as a whole."""
    column = next(iter(schema))
    return scan_table(table, schema).select(column).collect()[column]


def open_vectors(path: str | Path, texts: int, table: str | Path) -> Floats:
    """The vectors of so many texts of a table (:func:`open_matrix`); UserError where there are more or fewer."""
    matrix = open_matrix(path)
    if not texts:
        raise UserError(table, "", "no texts", "give a table that has some")
    if len(matrix) != texts:
        raise UserError(path, "", f"{len(matrix)} vectors for {texts} texts of {table}", "encode this table again")
    return matrix


def unit_rows(rows: Floats) -> Floats:
    """Rows made as long as 1, float32 ``(n, d)``; zeros stay zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def record_file(path: str | Path) -> Path:
    """The record beside a file of vectors."""
    return Path(path).with_suffix(".json")


def read_record(path: str | Path) -> dict[str, Any]:
    """What the record beside a file of vectors tells; empty where others made them. UserError for a damaged one."""
    file = record_file(path)
    if not file.is_file():
        return {}
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise UserError(file, "", f"not a record of vectors ({error})", "delete it, or encode again") from error


def write_record(path: str | Path, record: Mapping[str, Any]) -> None:
    """Write the record beside a file of vectors."""
    with atomic_path(record_file(path)) as temporary:
        write_json(temporary, dict(record))


def check_same_model(path: str | Path, other: str | Path, dtype: str = "<f4") -> None:
    """Raise UserError where the vectors of a file, of a type, cannot be compared with those of another one.

    That is where their dimensions differ, or their records tell of different models.
    """
    ours, theirs = (open_matrix(file, dtype=dtype).shape[1] for file in (path, other))
    if ours != theirs:
        problem = f"vectors of {ours} dimensions, where {other} has {theirs}"
        raise UserError(path, "", problem, "encode both with one model")
    models = [read_record(file).get("model") for file in (path, other)]
    if all(models) and models[0] != models[1]:
        raise UserError(path, "", f"made by another model than {other}", "encode both with one model")
