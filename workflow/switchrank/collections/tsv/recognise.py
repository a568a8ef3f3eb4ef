"""Tables of text: commas or semicolons between columns, fields perhaps quoted, a header or none; or tabs and a header.

Little other text looks like this: the first line must hold names of columns and nothing else, or all lines equally many
fields, of which the first is an id that no other line has.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from switchrank.collections.pairs.recognise import pair_of
from switchrank.collections.records import quoted_rows, read_records
from switchrank.core.errors import UserError
from switchrank.files.headers import is_header, is_id_name
from switchrank.identify import languages
from switchrank.identify.kinds import LAST, NAMES, VALUES, Look, Row, Sign
from switchrank.identify.source import MOST, Columns, Source, is_number

_SIGNS = {",": "comma", ";": "semicolon"}
_COLUMN_NAMES = b"""
id qid pid docid doc_id query query_id query-id corpus-id score text title document passage question answer label
category headline url lang language source target word translation sentence sentence1 sentence2 gold_label examples
seed start own_model relevance
"""
_KNOWN_NAMES = set(_COLUMN_NAMES.split())
Table = tuple[str, list[str], bool]
"""The separator of the columns, their names or numbers, and whether the first line names them."""


@lru_cache(maxsize=2)
def table_of(source: Source) -> Table | None:
    """How a file is a table between commas, semicolons or, with a header, tabs; nothing where it is none."""
    lines = source.head_lines() if source.is_text and not source.is_marked else []
    if lines and b"\t" not in lines[0]:
        for sign in _SIGNS:
            rows = _quoted(source, [line.decode("utf-8", "replace") for line in lines], sign)
            if rows and _names_columns(rows[0]) and _alike(rows):
                return sign, [name.strip() for name in rows[0]], True
            if len(rows) > 2 and _alike(rows) and _starts_with_ids(rows):
                return sign, [str(number) for number in range(1, len(rows[0]) + 1)], False
    return ("\t", list(source.columns.header), True) if _is_named(source.columns) else None


def _quoted(source: Source, lines: list[str], sign: str) -> list[list[str]]:
    """The rows that the lines hold; a quote that is never closed ends them."""
    rows = []
    try:
        for _, fields in quoted_rows(lines, source.path, sign):
            rows.append(fields)
    except UserError:
        pass
    return rows


def _names_columns(fields: Sequence[str]) -> bool:
    short = all(field.strip() and len(field.split()) < 4 and not any(map(str.isdecimal, field)) for field in fields)
    return is_header(fields) or (len(fields) > 1 and short and pair_of(fields) is not None)


def _alike(rows: Sequence[Sequence[str]]) -> bool:
    (width, count), *_ = Counter(map(len, rows)).most_common(1)
    return width > 1 and count >= MOST * len(rows)


def _starts_with_ids(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first fields are ids: short, with a digit, without white space, no two alike."""
    ids = [row[0] for row in rows]
    sound = [name for name in ids if 0 < len(name) <= 80 and not name.split()[1:] and any(map(str.isdecimal, name))]
    spaced = sum(any(" " in field.strip() for field in row[1:]) for row in rows)
    return len(sound) >= MOST * len(ids) and len(set(ids)) == len(ids) and spaced >= MOST * len(rows)


def _is_named(table: Columns) -> bool:
    """Whether the first line names columns as tables of the field do, or one of them and columns of numbers."""
    names, rest = [name.encode() for name in table.header], table.every[1:]
    known = sum(name.lower() in _KNOWN_NAMES for name in names)

    def numbered(at: int) -> bool:
        return table.share(lambda row: len(row) > at and is_number(row[at]), rest) >= MOST

    numbers = any(not is_number(name) and numbered(at) for at, name in enumerate(names))
    return bool(names) and (known >= max(2, len(names) / 2) or (numbers and known > 0))


def _fits(source: Source, *signs: str, header: bool, pairs: bool | None = None) -> bool:
    table = table_of(source)
    if table is None or table[0] not in signs or table[2] != header:
        return False
    return pairs is None or (pair_of(table[1]) is not None and not any(map(is_id_name, table[1]))) == pairs


def rows(path: str, look: Look) -> Iterator[Row]:
    numbers = [str(number) for number in range(1, look.source.columns.width + 1)]
    separator, names, header = table_of(look.source) or ("\t", numbers, False)
    named = "with a header" if header else f"{len(names)} columns without names"
    title = f"{_SIGNS.get(separator, 'tab')}-separated text{' ' if header else ', '}{named}"
    pair = pair_of(names)
    asked = "questions with answers or passages, " if look.found.format == "question-table" else ""
    look.found.title = f"{asked}{title}"
    look.found.fields, look.found.values["separator"] = names, separator
    look.found.values |= dict(zip(("asked", "answered"), pair, strict=True)) if pair else {}
    if separator == "\t" and re.search(rb'\t"|\n"', look.source.head):
        look.found.notes.append(
            "between tabs no quotes are read: a field over several lines needs commas or semicolons"
        )
    coded = [name for name in names if languages.code(name)]
    look.found.languages = languages.codes(coded) if separator == "\t" and len(coded) > 1 else []
    for place, record in read_records(
        path, separator=separator, header=header, columns=names, defect=look.problems.take
    ):
        if len(look.found.samples) < 3:
            look.found.samples.append(" | ".join(record[name][:80] for name in names).replace("\n", " ")[:100])
        yield place, None, [" ".join(record.values())]


KINDS = {
    "question-table": Sign(VALUES + 2, lambda source: _fits(source, ",", ";", "\t", header=True, pairs=True), rows),
    "csv-with-header": Sign(VALUES + 3, lambda source: _fits(source, ",", ";", header=True), rows),
    "csv": Sign(VALUES + 4, lambda source: _fits(source, ",", ";", header=False), rows),
    "tsv-with-header": Sign(NAMES + 3, lambda source: _fits(source, "\t", header=True), rows),
    "tsv": Sign(LAST - 1, lambda source: source.columns.width > 1, rows),
}
