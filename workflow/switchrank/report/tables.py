"""Tables of the report: a CSV or parquet table as one HTML file that sorts and searches by itself, or as TSV.

The HTML needs no network and no library: the style sheet and the script beside this module are written into the page.
The page saves its rows as TSV too: every cell whose text is not its value carries the value, and the table carries the
names and values of the columns that are not shown.
"""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.formats.tables import DAMAGE, reason
from switchrank.report.page import asset, page
from switchrank.report.titles import HELP, SENTENCES, TITLES, Described

LANGUAGE_COLUMNS = ("query_lang", "doc_lang", "src", "tgt", "language", "lang")
P_VALUES = ("p_value", "p_corrected")


def write_table_page(
    *,
    table: str | Path,
    out: str | Path,
    where: Mapping[str, str] | None = None,
    title: str = "",
    note: str = "",
    unseen: Sequence[str] = (),
) -> None:
    """A table as sortable, searchable HTML, or as TSV.

    In HTML, columns keep their order, floats have four decimals, p-values below 0.001 are in scientific notation, null
    is empty. A column with one value throughout becomes a line under the table, and so does what a known table says in
    words. TSV has a header, full precision and Unix line ends.

    Args:
        table: a .csv or .parquet table.
        out: what to write: .html or .tsv.
        where: keep only such rows.
        title: title of the HTML page (default: by the table's name).
        note: a line under the table (default: by the table's name).
        unseen: languages marked with *.

    Raises:
        UserError: the table is missing or unreadable, or ``where`` names no column or leaves no row.
    """
    whole = load_table(table, where)
    content = None if str(out).endswith(".tsv") else _page(whole, Path(out).stem, table, title, note, unseen)
    with atomic_path(out) as temporary:
        if content is None:
            whole.write_csv(temporary, separator="\t")
        else:
            temporary.write_text(content, encoding="utf-8", newline="\n")


def _page(whole: pl.DataFrame, name: str, table: str | Path, title: str, note: str, unseen: Sequence[str]) -> str:
    known = TITLES.get(Path(table).stem, Described(Path(table).stem.replace("_", " ").capitalize()))
    title, note = title or known.title, note or known.note
    frame, constant = _folded(whole)
    said = [f"{column} {value}" for column, value in constant.items() if value]
    same = "Same in all rows: " + ", ".join(said) if said else ""
    empty = "This table has no rows." if whole.is_empty() else ""
    columns, sentence = SENTENCES.get(Path(table).stem, ({}, lambda _: ""))
    complete = whole if columns.keys() <= set(whole.columns) else whole.clear()
    sentences = map(sentence, complete.iter_rows(named=True))
    lines = [*sentences, empty, note, same, "* language unseen in training" if unseen else ""]
    # All columns in order: a JSON list of [name, value], value null where the column is shown.
    hidden = [[column, _raw(whole[column][0]) if column in constant else None] for column in whole.columns]
    cells = ([_cell(*cell, unseen) for cell in row.items()] for row in frame.iter_rows(named=True))
    rows = "\n".join(f"<tr>{''.join(row)}</tr>" for row in cells)
    body = (
        '<label class="search">Search <input type="search" id="search" placeholder="all words must occur"></label>\n'
        '<p id="count" role="status" aria-live="polite"></p>\n'
        f'<button type="button" id="save" data-name="{html.escape(name)}.tsv">'
        "Save these rows as TSV</button>\n"
        f'<div class="scroll"><table id="table" data-columns="{html.escape(json.dumps(hidden, ensure_ascii=False))}">\n'
        f"<caption>{html.escape(title)}</caption>\n{_head(frame)}\n"
        f"<tbody>\n{rows}\n</tbody></table></div>\n"
        + "".join(f'<p class="note">{html.escape(line)}</p>\n' for line in lines if line)
        + f"<script>\n{asset('table.js')}</script>\n"
    )
    return page(title, body, asset("table.css"))


def load_table(path: str | Path, where: Mapping[str, str] | None = None) -> pl.DataFrame:
    """The rows of a CSV or parquet table, or those with the given values (compared as text)."""
    path = Path(path)
    if not path.is_file():
        raise UserError(path, "", "no such file", "run the stage that makes it, or correct the path")
    try:
        frame = pl.read_csv(path, infer_schema_length=None) if path.suffix == ".csv" else pl.read_parquet(path)
    except DAMAGE as error:
        problem = f"not a readable table ({reason(error)})"
        raise UserError(path, "", problem, "give a .csv or .parquet table") from error
    for column, value in (where or {}).items():
        if column not in frame.columns:
            raise UserError(path, column, "no such column", f"choose one of: {', '.join(frame.columns)}")
        frame = frame.filter(pl.col(column).cast(pl.String) == value)
        if frame.is_empty():
            raise UserError(path, column, f"no row with {value!r}", "choose a value that occurs in this column")
    return frame


def _folded(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """``frame`` without the columns that say the same in every row, and what those say (null is an empty text); floats
    always stay."""
    constant = {
        name: _plain(frame[name][0])
        for name, dtype in frame.schema.items()
        if len(frame) > 1 and not dtype.is_float() and name not in LANGUAGE_COLUMNS and frame[name].n_unique() == 1
    }
    return frame.drop(constant), constant


def _raw(value: Any) -> str:
    """A text or truth value as the TSV has it."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: Any) -> str:
    return "" if value is None else {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _head(frame: pl.DataFrame) -> str:
    cells = []
    for column, dtype in frame.schema.items():
        kind = ' class="number"' if dtype.is_numeric() else ""
        title = f' title="{html.escape(HELP[column])}"' if column in HELP else ""
        button = f'<button type="button"{title}>{html.escape(column)}</button>'
        cells.append(f'<th scope="col"{kind} aria-sort="none">{button}</th>')
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _cell(column: str, value: Any, unseen: Sequence[str]) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'<td class="number" data-value="{value!r}">{number(column, value)}</td>'
    shown = _plain(value) + ("*" if column in LANGUAGE_COLUMNS and value in unseen else "")
    plain = "" if shown == _raw(value) else f' data-plain="{html.escape(_raw(value))}"'
    return f"<td{plain}>{html.escape(shown)}</td>"


def number(column: str, value: float) -> str:
    """A number as the tables show it: integers whole, floats with four decimals, tiny p-values as ``1.2e-05``."""
    if isinstance(value, int):
        return str(value)
    if column in P_VALUES and 0 <= value < 0.001:
        return f"{value:.1e}" if value else "0"
    return f"{value:.4f}"
