"""Reading TREC run files: ``qid Q0 docid rank score system``, whoever wrote them."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import polars as pl

from switchrank.core.errors import Defect, UserError, refuse
from switchrank.files.reading import read_ahead, read_lines

RUN = {"qid": pl.String, "docid": pl.String, "rank": pl.Int32, "score": pl.Float64}
T = TypeVar("T")
_PIECE = 1 << 24
_COLUMNS = ["qid", "q0", "docid", "rank", "score", "system"]
_LINE = dict.fromkeys(_COLUMNS, pl.String) | RUN


def hashes(frame: pl.DataFrame) -> pl.Series:
    """A hash of each row's query and document."""
    return frame.select(pl.col("qid").hash(1) ^ pl.col("docid").hash(2)).to_series()


def by_queries(path: str | Path, work: Callable[[pl.DataFrame], T]) -> list[T]:
    """The results of ``work`` on pieces of a run, each of whole queries and as :func:`read_run` reads them.

    A large run is in memory as a whole only if the lines of a query are scattered or fields are not separated by single
    spaces. A piece is read while ``work`` is done on the one before.
    """
    path = Path(path)
    if not path.is_file() or path.stat().st_size <= _PIECE:
        return [work(read_run(path))]
    done = []
    with closing(read_ahead(_pieces(path), depth=1)) as pieces:
        for piece in pieces:
            if piece is None:
                break
            done.append(work(_without_repetition(path, piece)))
        else:
            return done
    return [work(read_run(path))]


def _pieces(path: Path) -> Generator[pl.DataFrame | None]:
    """Whole queries of a run; None, and then nothing, if a query goes on elsewhere or a line is not plain."""
    seen: set[str] = set()
    waiting = pl.DataFrame(schema=RUN)
    with path.open("rb") as stream:
        while lines := stream.read(_PIECE):
            frame = _read_plain(lines + stream.readline())
            if frame is None:
                yield None
                return
            frame = pl.concat([waiting, frame])
            last = frame["qid"] == frame["qid"][-1]
            whole, waiting = frame.filter(~last), frame.filter(last)
            qids = whole["qid"].unique().to_list()
            if not seen.isdisjoint([*qids, waiting["qid"][0]]):
                yield None
                return
            seen.update(qids)
            yield whole
    yield waiting


def _read_plain(lines: bytes) -> pl.DataFrame | None:
    """Lines with single spaces, as ours are, read by Polars; None if :func:`read_run` must look at every line."""
    if b"\t" in lines:
        return None
    try:
        frame = pl.read_csv(lines, separator=" ", has_header=False, quote_char=None, schema=_LINE)
    except pl.exceptions.PolarsError:
        return None
    return None if sum(frame.null_count().row(0)) else frame.select(list(RUN))


def run_rows(path: str | Path, defect: Defect = refuse) -> Iterator[tuple[str, list[str]]]:
    """Yield ``(place, fields)`` of the lines of a run, split at any white space; others are given to ``defect``."""
    for number, line in read_lines(path):
        fields = line.split()
        if len(fields) == len(_COLUMNS):
            yield f"line {number}", fields
        else:
            todo = "write 'qid Q0 docid rank score system'"
            defect(UserError(path, f"line {number}", f"{len(fields)} fields", todo))


def _read_lines(path: Path) -> pl.DataFrame:
    rows = [fields for _, fields in run_rows(path)]
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
    frame = _read_plain(path.read_bytes())
    return _without_repetition(path, _read_lines(path) if frame is None else frame)


def _without_repetition(path: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame, if no query has a document twice; only if hashes are equal are the strings compared."""
    if hashes(frame).n_unique() < len(frame):
        twice = frame.filter(frame.select("qid", "docid").is_duplicated())
        if len(twice):
            first = twice.row(0, named=True)
            raise UserError(path, f"query {first['qid']}", f"document {first['docid']} twice", "keep one line of each")
    return frame
