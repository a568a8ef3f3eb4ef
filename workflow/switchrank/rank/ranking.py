"""Rankings that come from outside: TREC runs and the two MS MARCO shapes, told apart by their number of columns."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from switchrank.core.errors import UserError
from switchrank.files.reading import read_lines
from switchrank.formats.trec import read_run

_SHAPES = "'qid Q0 docid rank score system', 'qid<TAB>docid<TAB>rank' or 'qid<TAB>docid<TAB>query<TAB>passage'"


def _first_line(path: Path) -> str:
    return next((line for _, line in read_lines(path)), "")


def _read_msmarco(path: Path, columns: int) -> pl.DataFrame:
    names = ["qid", "docid", "rank"] if columns == 3 else ["qid", "docid", "query", "passage"]
    try:
        frame = pl.scan_csv(
            path,
            separator="\t",
            has_header=False,
            quote_char=None,
            schema=dict.fromkeys(names, pl.String),
        )
        rank = pl.col("rank").cast(pl.Int32) if columns == 3 else pl.int_range(1, pl.len() + 1, dtype=pl.Int32)
        return frame.select("qid", "docid", rank.alias("rank")).collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise UserError(path, "", str(error).splitlines()[0], f"write every line as {_SHAPES}") from error


def read_ranking(path: str | Path) -> pl.DataFrame:
    """Read a first-stage ranking into columns ``qid docid rank``, by rank within each query.

    Six fields are a TREC run; equal ranks go by falling score, then docid. Three tab-separated fields are an MS MARCO
    run. Four are MS MARCO's ``top1000`` file, whose lines carry no rank: line order stands for it. May be gzipped,
    except for a TREC run.

    Raises:
        UserError: no such file, another number of columns, a rank that is no number, a document twice for a query.
    """
    path = Path(path)
    fields = _first_line(path).rstrip("\n").split("\t")
    if len(fields) in (3, 4):
        frame = _read_msmarco(path, len(fields))
        twice = frame.filter(frame.select("qid", "docid").is_duplicated())
        if len(twice):
            first = twice.row(0, named=True)
            raise UserError(path, f"query {first['qid']}", f"document {first['docid']} twice", "keep one line of each")
        return frame.sort(["qid", "rank", "docid"])
    frame = read_run(path)
    return frame.sort(["qid", "rank", "score", "docid"], descending=[False, False, True, False]).drop("score")
