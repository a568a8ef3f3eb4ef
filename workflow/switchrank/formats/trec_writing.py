"""Writing TREC run files: ``qid Q0 docid rank score system``, ranks from 1, ties by ascending docid (code points).

It is a module of its own, so that a change in how runs are read makes nothing rank again.
"""

from pathlib import Path

import polars as pl

from switchrank.core.atomic import atomic_path


def write_run(scores: pl.DataFrame, path: str | Path, system: str, depth: int | None = None) -> None:
    """Rank and write scores, columns ``qid``, ``docid``, ``score``; ``system`` is the tag in the last column.

    Queries keep their order of first appearance; of each the ``depth`` best documents are written, by default all.
    Scores have 9 significant digits, and it is the *written* score that ranks: a reader who sorts the file by score
    gets the rank column. Code point order equals UTF-8 byte order, which is what Polars sorts by.
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
    kept = ranked if depth is None else ranked.filter(pl.col("rank") <= depth)
    lines = kept.select(
        pl.format("{} Q0 {} {} {} {}", "qid", "docid", "rank", "written", pl.lit(system)).alias("line")
    )["line"]
    with atomic_path(path) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
