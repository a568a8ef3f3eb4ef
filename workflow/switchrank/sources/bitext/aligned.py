"""Parallel text as people keep it, line by line: columns of a file, two aligned files, or members of a zip archive."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from switchrank.core.errors import UserError
from switchrank.files.headers import refuse_header
from switchrank.files.reading import is_zip, read_lines, zip_member, zip_members
from switchrank.formats.pairs import check_columns, tsv_rows

Lines = Iterator[tuple[int, str, str]]
"""Line number from 1, text in the first language, text in the second."""

_ALIGNED = "give two files whose lines with the same number translate each other"
_SHOWN = 5


def check_layout(files: Sequence[str | Path], columns: Sequence[int | str]) -> None:
    """Raise UserError where the files and columns of :func:`read_aligned` do not go together."""
    place = files[0] if files else ""
    if len(files) not in (1, 2):
        raise UserError(place, "", f"{len(files)} files", "give one, or a file for each of two languages")
    if len(files) == 2 and columns:
        raise UserError(place, "columns", "columns of two files", "leave columns out, or give one file")
    if columns:
        check_columns(place, columns)


def read_aligned(files: Sequence[str | Path], endings: Sequence[str], columns: Sequence[int | str]) -> Lines:
    """Yield the lines of a parallel text, in their order.

    Args:
        files: two files, plain or packed, aligned line by line; or one that holds both languages: lines of fields
            between tabs, with ``columns`` (Tatoeba's), or without them a zip archive of two aligned files (OPUS).
        endings: how the names of the two files in an archive end, after a point.
        columns: of the two languages, by number from 1, or by name in the first line.

    Raises:
        UserError: a file is missing or damaged, or not UTF-8; a line lacks a column; the numbers of lines differ; an
            archive does not have one file for each language.
    """
    check_layout(files, columns)
    if not columns:
        return _side_by_side(files if len(files) == 2 else _members(files[0], endings))
    return _fields(files[0], columns)


def _fields(file: str | Path, columns: Sequence[int | str]) -> Lines:
    for number, (source, target) in tsv_rows(file, columns, what=f"lines of {Path(file).name}"):
        if number == 1:
            refuse_header(
                file, [source, target], "name the columns by their names, such as [source, target]", words=True
            )
        yield number, source, target


def _side_by_side(files: Sequence[str | Path]) -> Lines:
    first, second = files
    lines = read_lines(first, what=f"lines of {Path(first).name}"), read_lines(second)
    number = 0
    for one, other in zip_longest(*lines):
        if one is None or other is None:
            ended, longer, rest = (first, second, lines[1]) if one is None else (second, first, lines[0])
            problem = f"{number:,} lines, and {longer} has {number + 1 + sum(1 for _ in rest):,}"
            raise UserError(ended, "", problem, _ALIGNED)
        number = one[0]
        yield number, one[1], other[1]


def _members(archive: str | Path, endings: Sequence[str]) -> list[str | Path]:
    """The files of two languages in a zip archive."""
    if not is_zip(archive):
        todo = "name its columns, such as [1, 2], or give a file for each language"
        raise UserError(archive, "", "one file without columns, and no zip archive", todo)
    names = zip_members(archive)
    found: list[str | Path] = []
    for ending in endings:
        fitting = [name for name in names if name.endswith(f".{ending}")]
        if len(fitting) != 1:
            shown = ", ".join([*names[:_SHOWN], *(["..."] if names[_SHOWN:] else [])])
            problem = f"{len(fitting)} files in it end in .{ending}, not one"
            raise UserError(archive, "", problem, f"say how they end with codes, or name columns; it holds {shown}")
        found.append(zip_member(archive, fitting[0]))
    return found
