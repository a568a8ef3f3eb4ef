"""Runs of one test set and pair made into one by ranx (Bassani and Romelli 2022, doi:10.1145/3511808.3557207)."""

import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, get_args

import polars as pl

from switchrank.core.cache import compiled_code
from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.formats.trec import read_run
from switchrank.formats.trec_writing import write_run
from switchrank.rank.inference import check_system
from switchrank.search.choices import FusionMethod

BY_SCORE: frozenset[FusionMethod] = frozenset({"sum", "mnz", "anz", "max", "med", "min"})
"""Those that look at scores, from 0 to 1 within each query of a run; the others look at ranks."""
_QUERIES = 64
"""Queries that are fused at once."""
_DIGITS = 9
_NOTHING = "-" * _DIGITS
"""Stands for a document where a run has none for a query."""

Found = dict[str, dict[str, float]]
"""Scores by query and document, as ranx takes them. A document goes by a number of :data:`_DIGITS` digits: for ids of
another length ranx would be compiled anew."""


def fuse_runs(
    *,
    runs: Sequence[str | Path],
    out: str | Path,
    method: FusionMethod = "rrf",
    system: str = "fused",
    depth: int | None = None,
) -> None:
    """Fuse runs of the same queries and documents into one TREC run.

    Ranks are those of the files, so that ties are what they were; rrf is reciprocal rank fusion with k = 60 (Cormack et
    al. 2009, doi:10.1145/1571941.1572114). A query that some of the runs lack is fused from the others.

    Args:
        runs: TREC runs, two or more.
        out: the TREC run to write.
        method: how ranks (rrf, isr, log_isr, logn_isr, bordafuse) or scores (sum, mnz, anz, max, med, min) of a
            document become one score.
        system: tag in the last column.
        depth: documents of a query that the run keeps; default: all that are in a run.

    Raises:
        UserError: fewer than two runs, an unknown method, a run that cannot be read, runs without a line.
    """
    check_system(system)
    if method not in get_args(FusionMethod):
        raise UserError(
            "fuse", "method", f"unknown method {method}", f"write one of {', '.join(get_args(FusionMethod))}"
        )
    if len(runs) < 2:
        raise UserError("fuse", "runs", f"{len(runs)} to fuse", "give two or more")
    frames = [_points(read_run(path), method) for path in runs]
    qids = pl.concat([frame["qid"] for frame in frames]).unique(maintain_order=True)
    if qids.is_empty():
        raise UserError(", ".join(map(str, runs)), "", "no lines", "give runs that have some")
    docids = pl.concat([frame["docid"] for frame in frames]).unique(maintain_order=True)
    numbers = pl.int_range(len(docids), eager=True).cast(pl.String).str.zfill(_DIGITS)
    named = pl.DataFrame({"docid": docids, "number": numbers})
    frames = [frame.join(named, on="docid", how="left", maintain_order="left") for frame in frames]
    parts = []
    with progress(total=len(qids), what=f"fuse {Path(out).parent.name}", unit="queries") as bar:
        for start in range(0, len(qids), _QUERIES):
            some = qids[start : start + _QUERIES]
            parts.append(_fused([_of_queries(frame, some) for frame in frames], method))
            bar.update(len(some))
    fused = pl.concat(parts).join(named, on="number", how="left", maintain_order="left")
    write_run(fused, out, system, depth)


def _points(run: pl.DataFrame, method: FusionMethod) -> pl.DataFrame:
    """What is fused of a run, as ``qid docid score``: its scores, or numbers that fall as its ranks rise."""
    score = pl.col("score") if method in BY_SCORE else -pl.col("rank").cast(pl.Float64)
    return run.select("qid", "docid", score=score)


def _of_queries(run: pl.DataFrame, qids: pl.Series) -> Found:
    found: Found = {qid: {_NOTHING: 0.0} for qid in qids}
    kept = run.filter(pl.col("qid").is_in(qids.implode())).group_by("qid", maintain_order=True).agg("number", "score")
    return found | {qid: dict(zip(numbers, scores, strict=True)) for qid, numbers, scores in kept.iter_rows()}


def _fused(found: Sequence[Found], method: FusionMethod) -> pl.DataFrame:
    """The fused scores of some queries, which all runs have, as ``qid number score``."""
    run = _fuser(method)(found)
    rows = [(qid, number, score) for qid in found[0] for number, score in run[qid].items() if number != _NOTHING]
    return pl.DataFrame(rows, schema={"qid": pl.String, "number": pl.String, "score": pl.Float64}, orient="row")


@cache
def _fuser(method: FusionMethod) -> Callable[[Sequence[Found]], Any]:
    """A method of ranx, compiled or loaded from where it is kept: seconds, once a process."""

    def fuse(found: Sequence[Found]) -> Any:
        norm = "min-max" if method in BY_SCORE else None
        return ranx.fuse([ranx.Run(one) for one in found], norm=norm, method=method).run

    with compiled_code(), warnings.catch_warnings(action="ignore"):
        import ranx

        fuse([{"q": {_NOTHING: 0.0}}] * 2)
    return fuse
