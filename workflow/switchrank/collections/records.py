"""Rows of named members, wherever they are kept: JSON lines, delimited text, Parquet, a ``datasets`` folder of Arrow.

The content decides which: a folder or a Parquet file is a table; text with a separator given is delimited; the rest is
JSON lines. Formats: Apache Parquet; what ``datasets.Dataset.save_to_disk`` writes (``state.json``, Arrow streams).
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.collections.rows import About, JudgementRow, TextRow, whole_number
from switchrank.core.errors import Defect, Sieve, UserError, refuse
from switchrank.files.headers import refuse_header
from switchrank.files.json_values import Place, json_object
from switchrank.files.reading import open_bytes, read_lines, read_text
from switchrank.formats.tables import DAMAGE, reason

Record = Mapping[str, Any]
QUOTED = (",", ";")
"""Separators of spreadsheets, whose fields may be quoted."""
BATCH = 10_000
"""Table rows held as Python objects at a time."""
_NO_HEADER = "leave this line out, or say header: true where the format has that key"
LONGEST_FIELD = 50_000_000
"""Characters of a quoted field: a quote that is never closed would otherwise swallow the file."""


def read_records(
    path: str | Path,
    *,
    separator: str = "",
    header: bool = True,
    columns: Sequence[str] = (),
    defect: Defect = refuse,
) -> Iterator[tuple[str, Record]]:
    """Yield ``(place, record)``; ``place`` names the line or row.

    Args:
        path: a file, plain or packed, or a folder of Parquet or Arrow files.
        separator: of delimited text; fields are quoted at most where it is ``,`` or ``;``.
        header: whether the first line of delimited text names the columns; else they are called ``1``, ``2``, ...
        columns: the members that are wanted; others may be missing from a record.
        defect: is given a line that holds no record.

    Raises:
        UserError: unreadable file, a line that is not a JSON object, a line with too few fields, an unreadable table.
    """
    if Path(path).is_dir() or _is_parquet(path):
        return _table_records(Path(path), columns)
    if not separator:
        return _json_records(path, defect)
    lines = read_lines(path)
    if separator in QUOTED:
        return _named(quoted_rows((line for _, line in lines), path, separator), path, "", header, columns, defect)
    rows = ((number, line.split(separator)) for number, line in lines)
    return _named(rows, path, separator, header, columns, defect)


def _is_parquet(path: str | Path) -> bool:
    with open_bytes(path) as stream:
        return stream.read(4) == b"PAR1"


def _json_records(path: str | Path, defect: Defect) -> Iterator[tuple[str, Record]]:
    sieve = Sieve(defect)
    for number, line in read_lines(path):
        if line and not line.isspace():
            place = f"line {number}"
            with sieve:
                yield place, json_object(line, Place(path, place, "write one JSON object a line"))


def quoted_rows(lines: Iterable[str], path: str | Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield ``(last line, fields)`` of rows whose fields may be quoted, and then hold line ends, or UserError."""
    csv.field_size_limit(LONGEST_FIELD)
    rows = csv.reader((f"{line}\n" for line in lines), delimiter=separator, strict=True)
    try:
        for fields in rows:
            if fields:
                yield rows.line_num, fields
    except csv.Error as error:
        problem = f"not text separated by {separator!r} ({error})"
        todo = f"quote fields that hold {separator!r} or quotes"
        raise UserError(path, f"line {rows.line_num}", problem, todo) from error


def _named(
    rows: Iterator[tuple[int, list[str]]],
    path: str | Path,
    separator: str,
    header: bool,
    columns: Sequence[str],
    defect: Defect,
) -> Iterator[tuple[str, Record]]:
    """Records of rows; with a ``separator`` further fields belong to the last column, which may hold it."""
    names = [] if header else [str(number) for number in range(1, max(map(int, columns)) + 1)]
    for number, fields in rows:
        if not names:
            names = fields
            if missing := [column for column in columns if column not in names]:
                todo = f"name one of {listed(names)}, or say header: false"
                raise UserError(path, "line 1", f"no column {missing[0]} in the header", todo)
            if len(set(names)) < len(names):
                raise UserError(path, "line 1", "two columns of one name", "give each its own")
            continue
        if number == 1:
            refuse_header(path, fields, _NO_HEADER)
        if separator and len(fields) > len(names):
            fields[len(names) - 1 :] = [separator.join(fields[len(names) - 1 :])]
        if len(fields) < len(names) or (header and len(fields) > len(names)):
            problem = f"{len(fields)} fields"
            defect(UserError(path, f"line {number}", problem, f"write {len(names)}: {listed(names)}"))
            continue
        yield f"line {number}", dict(zip(names, fields, strict=False))


def _table_records(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, Record]]:
    done = 0
    for file, frame in _frames(path, columns):
        for number, record in enumerate(frame.iter_rows(named=True), done + 1):
            yield f"row {number} ({file.name})" if file != path else f"row {number}", record
        done += len(frame)


def _frames(path: Path, columns: Sequence[str]) -> Iterator[tuple[Path, pl.DataFrame]]:
    for file in table_files(path):
        try:
            table = pl.read_ipc_stream(file).lazy() if file.suffix == ".arrow" else pl.scan_parquet(file)
            names = table.collect_schema().names()
            wanted = [column for column in columns if column in names] if columns else names
            if not wanted:
                raise UserError(file, "", f"no column {columns[0]}", f"name one of {listed(names)}")
            table = table.select(wanted)
            rows = table.select(pl.len()).collect().item()
            for start in range(0, rows, BATCH):
                yield file, table.slice(start, BATCH).collect()
        except DAMAGE as error:
            problem = f"not a readable table ({reason(error)})"
            raise UserError(file, "", problem, "fetch or make the file again") from error


def table_files(path: Path) -> list[Path]:
    """The files of a table in reading order: itself, the shards in ``state.json``, or all Parquet of a folder."""
    if not path.is_dir():
        return [path]
    if (path / "dataset_dict.json").is_file():
        splits = ", ".join(sorted(part.name for part in path.iterdir() if part.is_dir()))
        raise UserError(path, "", "a dataset of several splits", f"name the folder of one: {splits}")
    state = path / "state.json"
    if state.is_file():
        try:
            named = [part["filename"] for part in json.loads(read_text(state))["_data_files"]]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise UserError(state, "", "does not list the files of a dataset", "save the dataset again") from error
        for name in named:
            if not isinstance(name, str) or Path(name).name != name:
                raise UserError(state, "_data_files", f"{name!r}", "name files of this folder")
        return [path / name for name in named]
    found = sorted(path.glob("*.parquet")) or sorted(path.glob("*.arrow")) or sorted(path.glob("**/*.parquet"))
    if not found:
        raise UserError(path, "", "a folder without Parquet or Arrow files", "name the folder that holds them")
    return found


def text_rows(
    path: str | Path, about: About, *, id: str, text: Sequence[str], separator: str = "", header: bool = True
) -> Iterator[TextRow]:
    """Yield ``(place, id, text)`` of records: the member ``id``, and the members ``text`` joined by a space.

    ``path``, ``separator`` and ``header`` are those of :func:`read_records`.
    """
    sieve, columns = Sieve(about.defect), [id, *text]
    read = read_records(path, separator=separator, header=header, columns=columns, defect=about.defect)
    for place, record in read:
        with sieve:
            yield place, member_text(record, [id], path, place), member_text(record, text, path, place)


def judgement_rows(
    path: str | Path,
    about: About,
    *,
    query: str,
    document: str,
    relevance: str | None = None,
    separator: str = "",
    header: bool = True,
) -> Iterator[JudgementRow]:
    """Yield ``(place, qid, docid, relevance)`` of records; without a member for it every row is relevant."""
    sieve, columns = Sieve(about.defect), [query, document, *([relevance] if relevance else [])]
    read = read_records(path, separator=separator, header=header, columns=columns, defect=about.defect)
    for place, record in read:
        with sieve:
            qid, docid = (member_text(record, [name], path, place) for name in (query, document))
            grade = whole_number(member_text(record, [relevance], path, place), path, place) if relevance else 1
            yield place, qid, docid, grade


def member_list(record: Record, name: str, path: str | Path, place: str) -> list[Any]:
    """A list of a record, empty if it is missing or null; UserError if it is something else."""
    found = record.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise UserError(path, place, f"member {name!r} is not a list", "name a member that is")
    return found


def member_objects(record: Record, name: str, path: str | Path, place: str) -> list[dict[str, Any]]:
    """A list of objects of a record; UserError if it is something else."""
    found = member_list(record, name, path, place)
    if not all(isinstance(part, dict) for part in found):
        raise UserError(path, place, f"{name} holds something that is not an object", "write objects with id and text")
    return found


def member_text(record: Record, names: Sequence[str], path: str | Path, place: str) -> str:
    """The members ``names`` that are not empty, joined by a space; UserError if all are missing, or one is no text."""
    parts = []
    for name in names:
        value = record.get(name)
        if type(value) is str:  # by far the usual case
            parts.append(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            parts.append(str(value))
        elif value is not None:
            raise UserError(path, place, f"member {name!r} is not text", "name a member that holds text")
        elif name in record:
            parts.append("")
    if not parts:
        raise UserError(path, place, f"no member {names[-1]!r}", f"known: {listed(record)}")
    return " ".join(filter(None, parts)) if len(parts) > 1 else parts[0]


def listed(names: Iterable[str]) -> str:
    """Names from a file as part of one line, not too long."""
    return " ".join(", ".join(names)[:200].split())
