"""TREC run files: ``qid Q0 docid rank score system``, ranks from 1, ties by ascending docid (code points)."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from switchrank.atomic import atomic_path
from switchrank.errors import UserError
from switchrank.reading import read_lines

RUN = {"qid": pl.String, "docid": pl.String, "rank": pl.Int32, "score": pl.Float64}
_COLUMNS = ["qid", "q0", "docid", "rank", "score", "system"]


def write_run(scores: pl.DataFrame, path: str | Path, system: str) -> None:
    """Rank and write scores atomically.

    Args:
        scores: columns ``qid``, ``docid``, ``score``; queries keep their order of first appearance.
        path: the ``.trec`` file.
        system: the tag in the last column.

    Scores are written with 9 significant digits, and it is the *written* score that ranks: a reader who sorts the
    file by score gets the rank column. Code point order equals UTF-8 byte order, which is what Polars sorts by.
    """
    written = scores["score"].cast(pl.Float64).map_elements(lambda x: f"{x:.9g}", return_dtype=pl.String)
    order = scores["qid"].unique(maintain_order=True).to_frame().with_row_index("query_order")
    ranked = (
        scores.select("qid", "docid", pl.Series("written", written))
        .with_columns(pl.col("written").cast(pl.Float64).alias("value"))
        .join(order, on="qid", how="left")
        .sort(["query_order", "value", "docid"], descending=[False, True, False])
        .with_columns(pl.int_range(1, pl.len() + 1).over("qid").alias("rank"))
    )
    lines = ranked.select(
        pl.format("{} Q0 {} {} {} {}", "qid", "docid", "rank", "written", pl.lit(system)).alias("line")
    )["line"]
    with atomic_path(path) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def _read_plain(path: Path) -> pl.DataFrame | None:
    """A run with single spaces, as ours are, read by Polars; None where :func:`read_run` must look at every line."""
    schema = {"qid": pl.String, "q0": pl.String, "docid": pl.String, **dict(list(RUN.items())[2:]), "system": pl.String}
    try:
        frame = pl.read_csv(path, separator=" ", has_header=False, quote_char=None, schema=schema)
    except pl.exceptions.PolarsError:
        return None
    tabs = pl.any_horizontal(pl.col(pl.String).str.contains("\t", literal=True))
    if sum(frame.null_count().row(0)) or frame.select(tabs.any()).item():
        return None
    return frame.select(list(RUN))


def _read_lines(path: Path) -> pl.DataFrame:
    rows: list[list[str]] = []
    for number, line in read_lines(path):
        fields = line.split()
        if len(fields) != len(_COLUMNS):
            raise UserError(path, f"line {number}", f"{len(fields)} fields", "write 'qid Q0 docid rank score system'")
        rows.append(fields)
    frame = pl.DataFrame(rows, schema=dict.fromkeys(_COLUMNS, pl.String), orient="row")
    try:
        return frame.select("qid", "docid", pl.col("rank").cast(pl.Int32), pl.col("score").cast(pl.Float64))
    except pl.exceptions.InvalidOperationError as error:
        raise UserError(path, "", str(error).splitlines()[0], "write a whole rank and a decimal score") from error


def read_run(path: str | Path) -> pl.DataFrame:
    """Read a TREC run (fields split at any white space) into columns ``qid docid rank score``, in file order.

    Raises:
        UserError: missing file, a line without 6 fields, a rank or score that is no number, a document twice.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(path, "", "no such file", "correct the path")
    frame = _read_plain(path)
    if frame is None:
        frame = _read_lines(path)
    twice = frame.filter(frame.select("qid", "docid").is_duplicated())
    if len(twice):
        first = twice.row(0, named=True)
        raise UserError(path, f"query {first['qid']}", f"document {first['docid']} twice", "keep one line of each")
    return frame
