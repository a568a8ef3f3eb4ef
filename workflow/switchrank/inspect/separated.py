"""Tables of spreadsheets: commas or semicolons between columns, fields perhaps quoted, a header or none.

Few lines of other text look like this: the first line must hold names of columns and nothing else, or each line as many
fields, the first an id of its own.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from switchrank.files.headers import is_header, is_id_name
from switchrank.inspect import languages
from switchrank.inspect.found import SAMPLES, Found, Problems, shorten
from switchrank.inspect.rows import closed
from switchrank.inspect.source import Source

ASKED = ("question", "query", "anchor")
ANSWERED = ("answer", "positive", "passage", "context", "document", "text")
_SIGNS = {",": "comma", ";": "semicolon"}
_ALIKE = 0.9
_LONGEST_FIELD = 1 << 24


def inspect(source: Source) -> Found | None:
    """What a table between commas or semicolons is; nothing where the file is none."""
    lines = source.head_lines()
    if not source.is_text or not lines or source.is_marked or b"\t" in lines[0]:
        return None
    head = [line.decode("utf-8", "replace") for line in lines]
    for sign in ",;":
        rows = list(_rows(head, sign))
        if rows and _is_header(rows[0]) and _alike(rows):
            return read_table(source, sign, [name.strip() for name in rows[0]], header=True)
        if len(rows) > 2 and _alike(rows) and _starts_with_ids(rows):
            numbers = [str(number) for number in range(1, len(rows[0]) + 1)]
            return read_table(source, sign, numbers, header=False)
    return None


def _is_header(fields: Sequence[str]) -> bool:
    short = all(field.strip() and len(field.split()) < 4 and not any(map(str.isdecimal, field)) for field in fields)
    return is_header(fields) or (len(fields) > 1 and short and pair_of(fields) is not None)


def pair_of(names: Sequence[str]) -> tuple[str, str] | None:
    """The columns that hold a query and its passage, where both are there."""
    called = {name.strip().lower(): name for name in names}
    asked = next((called[name] for name in ASKED if name in called), None)
    answered = next((called[name] for name in ANSWERED if name in called), None)
    return (asked, answered) if asked and answered else None


def read_table(source: Source, sign: str, names: list[str], *, header: bool) -> Found:
    """Count and check the rows of a table whose fields may be quoted and hold line ends."""
    how = f"{_SIGNS[sign]}-separated text"
    if header:
        found = Found("csv-with-header", f"{how} with a header", fields=names, values={"separator": sign})
    else:
        title = f"{how}, {len(names)} columns without names"
        found = Found("csv", title, fields=names, values={"separator": sign})
    problems, texts = Problems(), list[str]()
    rows = _rows((line.decode("utf-8", "replace") for _, line in source.lines()), sign, problems)
    for number, fields in enumerate(rows, 1):
        if header and number == 1:
            continue
        if len(fields) != len(names):
            problems.add(f"rows without {len(names)} columns")
            continue
        found.rows += 1
        texts += fields if found.rows <= 200 else []
        if found.rows <= SAMPLES:
            found.samples.append(shorten(" | ".join(fields)))
    found.problems += problems.told()
    found.languages = languages.from_name(source.path)
    found.scripts = languages.scripts(texts)
    as_questions(found, sign)
    return closed(found, source)


def as_questions(found: Found, sign: str) -> None:
    """Say of a table with a header that it holds queries with their passages, where it has no ids."""
    pair = pair_of(found.fields)
    if pair and not any(map(is_id_name, found.fields)):
        found.format, found.title = "question-table", f"questions with answers or passages, {found.title}"
        found.values |= {"separator": sign, "asked": pair[0], "answered": pair[1]}


def _rows(lines: Iterable[str], sign: str, problems: Problems | None = None) -> Iterator[list[str]]:
    """The rows that are not blank; a quote that is never closed ends them."""
    csv.field_size_limit(_LONGEST_FIELD)
    rows = csv.reader((f"{line}\n" for line in lines), delimiter=sign)
    try:
        yield from (fields for fields in rows if any(fields))
    except csv.Error as error:
        if problems:
            problems.add(f"quoted field that does not end ({error})", rows.line_num)


def _alike(rows: Sequence[Sequence[str]]) -> bool:
    """Whether nearly all rows have as many fields, and more than one."""
    (width, count), *_ = Counter(map(len, rows)).most_common(1)
    return width > 1 and count >= _ALIKE * len(rows)


def _starts_with_ids(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first fields are ids: short, with a digit, without white space, no two alike."""
    ids = [row[0] for row in rows]
    sound = [name for name in ids if 0 < len(name) <= 80 and not name.split()[1:] and any(map(str.isdecimal, name))]
    spaced = sum(any(" " in field.strip() for field in row[1:]) for row in rows)
    return len(sound) >= _ALIKE * len(ids) and len(set(ids)) == len(ids) and spaced >= _ALIKE * len(rows)
