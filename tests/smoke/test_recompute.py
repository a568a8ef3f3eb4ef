"""The recomputation of tables sees a wrong cell, a row too many and one too few in any table of the smoke run."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT, SMOKE
from tests.recompute import TABLES, read_design, recompute
from tests.recompute.finished import Series

pytestmark = pytest.mark.slow
EVALUATED = {"main.txt", "metrics.csv", "per_query.parquet", "significance.csv", "effects.csv", "setups.csv"}
EVALUATED |= {"bias_per_query.parquet"}
"""Tables whose checks are tested on a run of their own, in tests/unit/evaluate, and the text that shows them."""
PAIR = ("testset", "query_lang", "doc_lang", "metric")
KEYS = {
    "bias.csv": (*Series._fields, "measure"),
    "overlap.csv": (*Series._fields, "low", "high", "metric"),
    "shift.csv": Series._fields,
    "lexicon_quality.csv": ("lexicon", "src", "tgt", "gold"),
    "sweep.csv": ("sweep", "x", *Series._fields, "metric"),
    "testsets.csv": ("testset", "doc_lang"),
    "first_stage.csv": ("testset", "query_lang", "doc_lang", "way", "search"),
    "exposure.csv": ("training", "testset"),
    "coverage.csv": ("lexicon", "lang", "testset", "side"),
    "warnings.csv": ("kind", "subject"),
    "ablation.csv": ("ablation", *PAIR),
    "ablation_curve.csv": ("start", "language", *PAIR, "examples"),
    "equivalence.csv": ("start", "language", *PAIR),
}


def more(value: str) -> str:
    """A number that is a little wrong; one where there is none."""
    return str(float(value or 0) + 0.01)


def many(value: str) -> str:
    """A number that no bootstrap would give."""
    return str(float(value or 0) + 5)


def one_more(value: str) -> str:
    """A whole number that is wrong by one."""
    return str(int(value) + 1)


def none(value: str) -> str:
    """No value."""
    assert value
    return ""


CELLS = [
    *[("bias.csv", "value", more)] * 5,
    ("bias.csv", "value", none),
    ("bias.csv", "queries", one_more),
    ("overlap.csv", "value", more),
    ("overlap.csv", "queries", one_more),
    ("shift.csv", "drop", more),
    ("shift.csv", "drop_sd", more),
    ("shift.csv", "drop_sd", none),
    ("shift.csv", "pairs", one_more),
    ("lexicon_quality.csv", "p_at_1", more),
    ("lexicon_quality.csv", "p_at_5", more),
    ("lexicon_quality.csv", "mrr", more),
    ("lexicon_quality.csv", "coverage", more),
    ("lexicon_quality.csv", "gold_size", one_more),
    ("sweep.csv", "value", more),
    ("sweep.csv", "switched", more),
    ("sweep.csv", "p_at_1", more),
    ("sweep.csv", "p_at_1", none),
    ("sweep.csv", "setup", lambda _: "none"),
    ("sweep.csv", "seen", lambda _: "nobody"),
    ("testsets.csv", "collection", lambda _: "other"),
    ("testsets.csv", "format", lambda _: "other"),
    ("testsets.csv", "relevance", lambda _: "answer"),
    ("testsets.csv", "documents", one_more),
    ("testsets.csv", "queries", one_more),
    ("testsets.csv", "relevant", more),
    ("testsets.csv", "candidates", more),
    ("testsets.csv", "candidate_recall", more),
    ("testsets.csv", "chance", more),
    ("warnings.csv", "warning", lambda _: "all is well"),
    ("testsets.csv", "search", lambda _: "all"),
    ("testsets.csv", "own_recall", more),
    ("testsets.csv", "own_recall", none),
    ("testsets.csv", "translated_recall", more),
    ("first_stage.csv", "depth", one_more),
    ("first_stage.csv", "recall", more),
    ("first_stage.csv", "queries", one_more),
    ("exposure.csv", "systems", lambda _: "nobody"),
    ("exposure.csv", "by", lambda _: "text"),
    ("exposure.csv", "documents", one_more),
    ("exposure.csv", "positives", one_more),
    ("exposure.csv", "negatives", one_more),
    ("exposure.csv", "relevant", one_more),
    ("exposure.csv", "relevant_positives", one_more),
    ("exposure.csv", "relevant_negatives", one_more),
    ("coverage.csv", "words", one_more),
    ("coverage.csv", "covered", one_more),
    ("coverage.csv", "share", more),
    ("coverage.csv", "share", none),
    ("ablation.csv", "start", lambda _: "nobody"),
    ("ablation.csv", "language", lambda _: "qad"),
    ("ablation.csv", "examples", one_more),
    ("ablation.csv", "seed", one_more),
    ("ablation.csv", "value", more),
    ("ablation.csv", "epochs", more),
    ("ablation_curve.csv", "value", more),
    ("ablation_curve.csv", "low", many),
    ("ablation_curve.csv", "low", none),
    ("ablation_curve.csv", "high", many),
    ("ablation_curve.csv", "queries", one_more),
    ("ablation_curve.csv", "seeds", one_more),
    ("equivalence.csv", "reference", lambda _: "nobody"),
    ("equivalence.csv", "reference_value", more),
    ("equivalence.csv", "examples", more),
    ("equivalence.csv", "low", many),
    ("equivalence.csv", "high", many),
]
"""Table, column and what is done to a cell: every column of these tables that is no key."""


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def copied(finished, tmp_path):
    """The run with tables of its own, to be spoilt; everything else is the run's."""
    folder = tmp_path / "results" / "smoke"
    folder.mkdir(parents=True)
    for path in (finished.folder / "results" / "smoke").iterdir():
        if path.name == "tables":
            shutil.copytree(path, folder / path.name)
        else:
            (folder / path.name).symlink_to(path)
    return folder


def mismatches(folder: Path) -> list[str]:
    return recompute(folder, read_design(SMOKE, ROOT), tables=KEYS)


def test_every_table_is_planted_with_wrong_cells_somewhere():
    assert KEYS.keys() == TABLES.keys() - EVALUATED
    assert {table for table, *_ in CELLS} == KEYS.keys()


def test_every_column_is_planted_with_a_wrong_cell(copied):
    for table, keys in KEYS.items():
        columns = set(read(copied / "tables" / table)[0]) - set(keys)
        assert columns == {column for name, column, _ in CELLS if name == table}, table


def test_every_wrong_cell_is_reported_with_table_key_and_both_values(copied):
    """In rows of their own as far as a table has rows, all at once."""
    planted = []
    for table, keys in KEYS.items():
        rows = read(copied / "tables" / table)
        for number, (column, change) in enumerate((column, change) for name, column, change in CELLS if name == table):
            row = rows[number % len(rows)]
            row[column] = change(row[column])
            place = f"{table} {' '.join(row[key] for key in keys)} {column}: {row[column] or None}, recomputed "
            planted.append((place, number, table))
        write(copied / "tables" / table, rows)
    wrong = mismatches(copied)
    for place, *_ in planted:
        assert len([line for line in wrong if line.startswith(place)]) == 1, place
    assert len(wrong) == len(planted)


def test_a_row_that_is_missing_and_one_that_is_too_many_are_reported(copied):
    for table, keys in KEYS.items():
        rows = read(copied / "tables" / table)
        write(copied / "tables" / table, [{**rows[0], keys[0]: "nothing"}, *rows[1:], rows[-1]])
    wrong = mismatches(copied)
    for table in KEYS:
        about = [line for line in wrong if line.startswith(table)]
        assert len([line for line in about if line.startswith(f"{table}: no row (")]) == 1
        assert len([line for line in about if line.startswith(f"{table}: row ('nothing'")]) == 1
        assert f"{table}: a row stands twice" in about
        assert len(about) == 3


def test_a_number_of_the_text_that_is_wrong_and_a_system_that_is_missing_are_reported(copied):
    text = (copied / "tables" / "main.txt").read_text()
    head, title, pairs = text.rpartition("by language pair")
    lines = pairs.splitlines()
    row = next(number for number, line in enumerate(lines) if line.startswith("ml-cs "))
    shown = re.search(r"\d\.\d{3}", lines[row])[0]
    lines[row] = lines[row].replace(shown, "9.999", 1)
    gone = next(number for number, line in enumerate(lines) if line.startswith("random "))
    del lines[gone]
    (copied / "tables" / "main.txt").write_text(head + title + "\n".join(lines))
    wrong = recompute(copied, read_design(SMOKE, ROOT))
    assert len([line for line in wrong if ": 9.999, recomputed " in line]) == 1
    assert any(line.startswith("main.txt: no row (") and "'random'" in line for line in wrong)
    assert all(line.startswith("main.txt") for line in wrong)


def test_a_run_without_a_table_or_with_a_broken_one_says_so(copied):
    (copied / "tables" / "bias.csv").unlink()
    (copied / "tables" / "shift.csv").write_text("system,testset\n")
    (copied / "tables" / "more.csv").touch()
    wrong = recompute(copied, read_design(SMOKE, ROOT))
    assert wrong[:2] == ["bias.csv: no such table", "more.csv: the design calls for no such table"]
    assert {line.split(":")[0] for line in wrong[2:]} == {"shift.csv"}
