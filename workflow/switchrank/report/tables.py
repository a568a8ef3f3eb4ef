"""Tables of the report: a CSV or parquet table as one HTML file that sorts and searches by itself, or as TSV.

The HTML needs no network and no library: the style sheet and the script beside this module are written into the page.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.atomic import atomic_path
from switchrank.errors import UserError
from switchrank.report.page import asset, page

LANGUAGE_COLUMNS = ("query_lang", "doc_lang", "src", "tgt", "language")
P_VALUES = ("p_value", "p_corrected")
HELP = {
    "setup": "moir: same language; clir: different languages; mlir: several languages mixed",
    "query_lang": "language of the queries; xx: several mixed",
    "doc_lang": "language of the documents; xx: several mixed",
    "seen": "which side's language was in training: both, query, document or none",
    "seed": "training seed",
    "queries": "queries with a relevant document; those without a candidate score 0",
    "delta": "value minus baseline_value",
    "ci_low": "lower end of the 95% confidence interval",
    "ci_high": "upper end of the 95% confidence interval",
    "p_value": "before correction",
    "p_corrected": "after correction for all tests of the family",
    "family_size": "number of tests corrected together",
    "p_at_1": "share of gold words whose best translation is right; uncovered words count as wrong",
    "p_at_5": "share of gold words with a right translation among the best five",
    "coverage": "share of gold words the lexicon has at all",
    "gold_size": "words in the gold lexicon",
    "examples": "labelled target-language examples used",
}


def html_table(
    *,
    table: str | Path,
    out: str | Path,
    title: str,
    note: str = "",
    where: Mapping[str, str] | None = None,
    unseen: Sequence[str] = (),
) -> None:
    """Write ``table`` (``.csv`` or ``.parquet``) as a self-contained HTML page.

    Args:
        table: any table of ours; columns keep their order, floats have four decimals, p-values below 0.001 are in
            scientific notation, null is empty. A column with one value throughout becomes a line under the table.
        out: the ``.html``.
        title: page title and table caption.
        note: a line under the table.
        where: keep only rows whose columns equal these values.
        unseen: languages marked with ``*`` in language columns, with a line that says so.

    Raises:
        UserError: the table is missing, unreadable or empty, or ``where`` names no column or leaves no row.
    """
    frame, constant = _folded(load_table(table, where))
    same = "Same in all rows: " + ", ".join(f"{name} {value}" for name, value in constant.items()) if constant else ""
    lines = [note, same, "* language unseen in training" if unseen else ""]
    body = (
        '<label class="search">Search <input type="search" id="search" placeholder="all words must occur"></label>\n'
        '<p id="count" role="status" aria-live="polite"></p>\n<div class="scroll"><table id="table">\n'
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
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = (str(error).splitlines() or ["empty"])[0]
        raise UserError(path, "", f"not a readable table ({reason})", "give a .csv or .parquet table") from error
    for column, value in (where or {}).items():
        if column not in frame.columns:
            raise UserError(path, column, "no such column", f"choose one of: {', '.join(frame.columns)}")
        frame = frame.filter(pl.col(column).cast(pl.String) == value)
        if frame.is_empty():
            raise UserError(path, column, f"no row with {value!r}", "choose a value that occurs in this column")
    if frame.is_empty():
        raise UserError(path, "", "the table has no rows", "run the stage that fills it")
    return frame


def _folded(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """``frame`` without the columns that say the same in every row, and what those say; floats always stay."""
    constant = {
        name: _plain(frame[name][0])
        for name, dtype in frame.schema.items()
        if len(frame) > 1 and not dtype.is_float() and name not in LANGUAGE_COLUMNS and frame[name].n_unique() == 1
    }
    return frame.drop(constant), {name: value for name, value in constant.items() if value}


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
    return "\n".join(
        "<tr>" + "".join(_cell(column, value, unseen) for column, value in row.items()) + "</tr>"
        for row in frame.iter_rows(named=True)
    )


def _cell(column: str, value: Any, unseen: set[str]) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'<td class="number" data-value="{value!r}">{number(column, value)}</td>'
    mark = "*" if column in LANGUAGE_COLUMNS and value in unseen else ""
    return f"<td>{html.escape(_plain(value))}{mark}</td>"


def number(column: str, value: float) -> str:
    """A number as the tables show it: integers whole, floats with four decimals, tiny p-values as ``1.2e-05``."""
    if isinstance(value, int):
        return str(value)
    if column in P_VALUES and 0 <= value < 0.001:
        return f"{value:.1e}" if value else "0"
    return f"{value:.4f}"
