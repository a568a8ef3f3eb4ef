"""Tables of the report: a CSV or parquet table as one HTML file that sorts and searches by itself, or as TSV.

The HTML needs no network and no library: the style sheet and the script beside this module are written into the page.
The page saves its rows as TSV too: every cell whose text is not its value carries the value, and the table carries the
names and values of the columns that are not shown.
"""

from __future__ import annotations

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
from switchrank.report.titles import HELP, described

LANGUAGE_COLUMNS = ("query_lang", "doc_lang", "src", "tgt", "language", "lang")
P_VALUES = ("p_value", "p_corrected")


def html_table(
    *,
    table: str | Path,
    out: str | Path,
    title: str = "",
    note: str = "",
    where: Mapping[str, str] | None = None,
    unseen: Sequence[str] = (),
) -> None:
    """Write ``table`` (``.csv`` or ``.parquet``) as a self-contained HTML page.

    Args:
        table: any table of ours; columns keep their order, floats have four decimals, p-values below 0.001 are in
            scientific notation, null is empty. A column with one value throughout becomes a line under the table. A
            table with a head and no rows becomes a page that says so.
        out: the ``.html``.
        title: page title and table caption; that of :mod:`switchrank.report.titles` when empty.
        note: a line under the table; as ``title``. What a known table says in words comes first.
        where: keep only rows whose columns equal these values.
        unseen: languages marked with ``*`` in language columns, with a line that says so.

    Raises:
        UserError: the table is missing or unreadable, or ``where`` names no column or leaves no row.
    """
    whole = load_table(table, where)
    known = described(table)
    title, note = title or known.title, note or known.note
    frame, constant = _folded(whole)
    said = [f"{name} {value}" for name, value in constant.items() if value]
    same = "Same in all rows: " + ", ".join(said) if said else ""
    empty = "This table has no rows." if whole.is_empty() else ""
    lines = [*known.sentences(whole), empty, note, same, "* language unseen in training" if unseen else ""]
    body = (
        '<label class="search">Search <input type="search" id="search" placeholder="all words must occur"></label>\n'
        '<p id="count" role="status" aria-live="polite"></p>\n'
        f'<button type="button" id="save" data-name="{html.escape(Path(out).stem)}.tsv">'
        "Save these rows as TSV</button>\n"
        f'<div class="scroll"><table id="table" data-columns="{_columns(whole, constant)}">\n'
        f"<caption>{html.escape(title)}</caption>\n{_head(frame)}\n"
        f"<tbody>\n{_body(frame, set(unseen))}\n</tbody></table></div>\n"
        + "".join(f'<p class="note">{html.escape(line)}</p>\n' for line in lines if line)
        + f"<script>\n{asset('table.js')}</script>\n"
    )
    with atomic_path(out) as temporary:
        temporary.write_text(page(title, body, asset("table.css")), encoding="utf-8", newline="\n")


def tsv_table(*, table: str | Path, out: str | Path, where: Mapping[str, str] | None = None) -> None:
    """Write ``table`` as tab-separated values with a header, full precision, Unix line ends.

    Raises:
        UserError: as :func:`html_table`.
    """
    frame = load_table(table, where)
    with atomic_path(out) as temporary:
        frame.write_csv(temporary, separator="\t")


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


def _columns(whole: pl.DataFrame, constant: Mapping[str, str]) -> str:
    """All columns in order as an attribute: a JSON list of ``[name, value]``, value null where the column is shown."""
    plain = {name: _raw(whole[name][0]) for name in constant}
    return html.escape(json.dumps([[name, plain.get(name)] for name in whole.columns], ensure_ascii=False))


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


def _body(frame: pl.DataFrame, unseen: set[str]) -> str:
    rows = ([_cell(*cell, unseen) for cell in row.items()] for row in frame.iter_rows(named=True))
    return "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)


def _cell(column: str, value: Any, unseen: set[str]) -> str:
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
