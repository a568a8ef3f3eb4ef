"""Lexicons against gold dictionaries: what counts as right, and uncovered words as wrong."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from switchrank.core.errors import UserError
from switchrank.formats.tables import LEXICON, QUALITY, read_table, write_table
from switchrank.lexicon.quality import lexicon_quality

ROWS = [
    ("cat", "Katze", 0.9, 1),
    ("cat", "Kater", 0.8, 2),
    ("dog", "Katze", 0.9, 1),
    ("dog", "Hund", 0.8, 2),
    ("bird", "Fisch", 0.9, 1),
    *[("tree", f"x{rank}", 0.5, rank) for rank in range(1, 6)],
    ("tree", "Baum", 0.1, 6),
]
GOLD = "Cat\tkatze\ncat Kater\n\ndog\thund\nbird\tVogel\ntree baum\nhouse\tHaus\n"


def lexicon(tmp_path: Path, rows: list[Any] = ROWS, name: str = "clwe") -> dict[str, str]:
    path = tmp_path / f"{name}.parquet"
    write_table(pl.DataFrame(rows, schema=LEXICON, orient="row"), path, LEXICON)
    return {"lexicon": name, "src": "en", "tgt": "de", "path": str(path)}


def gold(tmp_path: Path, text: str = GOLD, name: str = "gold", tgt: str = "de") -> dict[str, str]:
    (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    return {"name": name, "src": "en", "tgt": tgt, "path": str(tmp_path / f"{name}.txt")}


def measured(tmp_path: Path, lexicons: list[Any], golds: list[Any]) -> list[dict[str, Any]]:
    lexicon_quality(lexicons=lexicons, gold=golds, out=tmp_path / "quality.csv")
    return read_table(tmp_path / "quality.csv", QUALITY).to_dicts()


def test_measures_by_hand(tmp_path: Path) -> None:
    [row] = measured(tmp_path, [lexicon(tmp_path)], [gold(tmp_path)])
    # cat right at 1, dog at 2, tree at 6, bird never, house not covered: 5 gold words
    assert row["gold_size"] == 5
    assert row["p_at_1"] == pytest.approx(1 / 5)
    assert row["p_at_5"] == pytest.approx(2 / 5)
    assert row["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 6) / 5)
    assert row["coverage"] == pytest.approx(4 / 5)


def test_a_perfect_lexicon_scores_one(tmp_path: Path) -> None:
    [row] = measured(tmp_path, [lexicon(tmp_path, [("a", "B", None, 1)])], [gold(tmp_path, "A b\n")])
    assert [row[name] for name in ("p_at_1", "p_at_5", "mrr", "coverage", "gold_size")] == [1, 1, 1, 1, 1]


def test_title_lexicons_without_scores_and_with_spaces_count_too(tmp_path: Path) -> None:
    titles = lexicon(tmp_path, [("new york", "New York", None, 1)], "titles")
    [row] = measured(tmp_path, [titles], [gold(tmp_path, "New  York\tnew york\n")])
    assert row["p_at_1"] == 1


def test_rows_follow_the_lexicons_then_the_dictionaries_of_their_languages(tmp_path: Path) -> None:
    lexicons = [lexicon(tmp_path, name="b"), lexicon(tmp_path, name="a")]
    golds = [gold(tmp_path, name="z"), gold(tmp_path, name="fr", tgt="fr"), gold(tmp_path, name="y")]
    rows = measured(tmp_path, lexicons, golds)
    assert [(row["lexicon"], row["gold"]) for row in rows] == [("b", "z"), ("b", "y"), ("a", "z"), ("a", "y")]


def test_no_gold_gives_an_empty_table(tmp_path: Path) -> None:
    assert measured(tmp_path, [lexicon(tmp_path)], []) == []


def test_dictionaries_may_be_compressed(tmp_path: Path) -> None:
    entry = gold(tmp_path)
    packed = tmp_path / "gold.txt.gz"
    packed.write_bytes(gzip.compress(GOLD.encode()))
    rows = measured(tmp_path, [lexicon(tmp_path)], [entry, {**entry, "path": str(packed)}])
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    ("text", "problem"), [("cat katze\ndog\n", "line 2: no pair in 'dog'"), ("\n", "holds no pair")]
)
def test_bad_dictionaries_are_named_by_line(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        measured(tmp_path, [lexicon(tmp_path)], [gold(tmp_path, text)])
    assert not (tmp_path / "quality.csv").exists()


def test_a_dictionary_that_is_not_utf8_is_named_by_line(tmp_path: Path) -> None:
    entry = gold(tmp_path)
    Path(entry["path"]).write_bytes(b"a b\n\xff c\n")
    with pytest.raises(UserError, match="line 2: not UTF-8"):
        measured(tmp_path, [lexicon(tmp_path)], [entry])
