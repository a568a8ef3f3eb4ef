"""The ablation table: one row is one fine-tuning run. Read at parse time of a workflow, so nothing heavy is imported.

Ids are names of folders and, in the tables of scores, of systems. Rows with 0 examples train nothing: the starting
model itself is tested. ``none`` is the initial model that all systems start from; with 0 examples it is untrained.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import product
from pathlib import Path

from switchrank.core.errors import UserError, raise_all
from switchrank.core.limits import LARGEST
from switchrank.formats.written import by_column, written_rows

NO_SYSTEM = "none"
_MISSING = "correct the path, or make it: switchrank ablation grid"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_WHOLE = re.compile(r"0|[1-9][0-9]*")


@dataclass(frozen=True)
class Row:
    """One setting.

    Attributes:
        id: unique name: letters, digits, ``-``, ``_``, ``.``, the first a letter or a digit.
        start: the system whose model is trained further, or ``none``: the initial model of the run.
        language: of the labelled queries and their documents.
        examples: how many labelled queries; 0: no training.
        seed: of the sample, and of the starting model and its training.
    """

    id: str
    start: str
    language: str
    examples: int
    seed: int


COLUMNS = [field.name for field in fields(Row)]


def read_ablation(path: str | Path, *, languages: Collection[str] | None, systems: Collection[str] | None) -> list[Row]:
    """The rows of a TSV with the columns ``id start language examples seed``, in order.

    Args:
        path: the table.
        languages: those that ``language`` may name; any when None.
        systems: those that ``start`` may name beside ``none``; any when None.

    Raises:
        UserError: a missing or unreadable file, wrong columns, no rows; or of each row what is wrong with a cell, an id
            twice (also in other case: ids name folders), a setting twice.
    """
    if systems is not None and NO_SYSTEM in systems:
        problem = f"a system is called {NO_SYSTEM}, which means the initial model here"
        raise UserError(path, "", problem, "give that system another name")
    rows: dict[str, Row] = {}
    settings: dict[tuple[object, ...], str] = {}
    mistakes = []
    for place, cells in written_rows(path, COLUMNS, "ablation", _MISSING):
        try:
            given = by_column(path, place, cells, COLUMNS)
            for problem, todo in _mistakes(given, languages, systems):
                raise UserError(path, place, problem, todo)
            row = Row(given["id"], given["start"], given["language"], int(given["examples"]), int(given["seed"]))
            if row.id.casefold() in rows:
                raise UserError(path, place, f"id {row.id} twice", "give every row an id of its own, not only in case")
            if (setting := astuple(row)[1:]) in settings:
                problem = f"the setting of row {settings[setting]} again"
                raise UserError(path, place, problem, "keep one of the two")
        except UserError as error:
            mistakes.append(error)
        else:
            rows[row.id.casefold()], settings[setting] = row, row.id
    raise_all(mistakes)
    if not rows:
        raise UserError(path, "", "no rows", "add one, or make a table with: switchrank ablation grid")
    return list(rows.values())


def check_starts(rows: Sequence[Row], reference: str, starts: Sequence[str]) -> None:
    """Raise UserError unless reference and starts have rows, and one with 0 examples in each language they occur in."""
    present = {(row.start, row.language) for row in rows}
    at_zero = {(row.start, row.language) for row in rows if row.examples == 0}
    for start in [reference, *starts]:
        if start not in {name for name, _ in present}:
            raise UserError("ablation", f"start {start}", "no rows", "name a start of the ablation table")
    for language in dict.fromkeys(row.language for row in rows):
        for start in [reference, *(start for start in starts if (start, language) in present)]:
            if (start, language) not in at_zero:
                todo = "add one to the ablation table"
                raise UserError("ablation", f"start {start}", f"no row with 0 examples in {language}", todo)


def _mistakes(
    given: Mapping[str, str], languages: Collection[str] | None, systems: Collection[str] | None
) -> Iterator[tuple[str, str]]:
    """What is wrong with the cells of a row, and what to do; only the first is to be relied upon."""
    if not _ID.fullmatch(given["id"]):
        yield f"id '{given['id']}'", "use letters, digits, '-', '_', '.', and a letter or digit first"
    for name in ("examples", "seed"):
        if not _WHOLE.fullmatch(given[name]):
            yield f"{name} '{given[name]}'", "write a whole number from 0, such as 16"
        if int(given[name]) > LARGEST:
            yield f"{name} {given[name]} is too large", f"write {LARGEST} at most"
    if languages is not None and given["language"] not in languages:
        yield f"unknown language '{given['language']}'", f"known: {', '.join(languages)}"
    if systems is not None and given["start"] not in (NO_SYSTEM, *systems):
        yield f"start '{given['start']}' is no declared system", f"known: {', '.join([NO_SYSTEM, *systems])}"
    if systems is not None and given["id"] in systems:
        yield f"id {given['id']} is the name of a system", "choose another: both name rows of scores"


def expand_rows(
    *, starts: Sequence[str], languages: Sequence[str], examples: Sequence[int], seeds: Sequence[int]
) -> list[Row]:
    """Every combination, the last axis fastest; ids such as ``ml-cs_de_n64_seed1``.

    UserError for an axis that is empty or has a value twice, a name that cannot be part of an id, negative examples.
    """
    axes = {"starts": starts, "languages": languages, "examples": examples, "seeds": seeds}
    for name, values in axes.items():
        if not values or len(set(values)) < len(values):
            raise UserError("ablation grid", name, f"{list(values)}", "give at least one value, each once")
    for name in ("starts", "languages"):
        wrong = next((value for value in axes[name] if not _ID.fullmatch(str(value))), None)
        if wrong is not None:
            raise UserError("ablation grid", name, f"'{wrong}'", "use letters, digits, '-', '_', '.'")
    if min(examples) < 0:
        raise UserError("ablation grid", "examples", f"{min(examples)}", "give whole numbers from 0")
    return [
        Row(f"{start}_{language}_n{count}_seed{seed}", start, language, count, seed)
        for start, language, count, seed in product(starts, languages, examples, seeds)
    ]


def table_text(rows: Sequence[Row]) -> str:
    """The rows as the TSV that :func:`read_ablation` reads."""
    lines = [COLUMNS, *([str(cell) for cell in astuple(row)] for row in rows)]
    return "".join("\t".join(line) + "\n" for line in lines)
