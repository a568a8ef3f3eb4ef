"""Lexicons from parallel text: words that are aligned, as keys and lower-case words, the best first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.tables import BITEXT, LEXICON, read_table, write_table
from switchrank.formats.vectors import write_vectors
from switchrank.lexicon.aligned import LONGEST, induce_from_bitext

Pairs = list[tuple[str, str]]


def stored(path: Path, pairs: Pairs) -> Path:
    rows = [(number, *pair) for number, pair in enumerate(pairs, 1)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_table(pl.DataFrame(rows, schema=BITEXT, orient="row"), path, BITEXT)
    return path


@pytest.fixture
def made(tmp_path):
    """``made(pairs, **settings)``: the rows of the English-German lexicon of parallel lines."""

    def make(pairs: Pairs, **settings) -> list[tuple]:
        settings = {"source": "en", "target": "de"} | settings
        file = stored(tmp_path / f"{settings['source']}-{settings['target']}" / "train.parquet", pairs)
        induce_from_bitext(bitext=[file], out=tmp_path / "out.parquet", **settings)
        return read_table(tmp_path / "out.parquet", LEXICON).rows()

    return make


DOGS = [*[("Dog", "Hund")] * 5, *[("dog!", "Köter.")] * 3, *[("cat", "Katze")] * 2, ("DOG", "Wauwau")]


def test_words_are_linked_and_scored_by_the_share_of_links_that_lead_to_them(made):
    assert made(DOGS, min_count=1) == [
        ("dog", "hund", pytest.approx(5 / 9), 1),
        ("dog", "köter", pytest.approx(3 / 9), 2),
        ("dog", "wauwau", pytest.approx(1 / 9), 3),
        ("cat", "katze", 1.0, 1),
    ]


@pytest.mark.parametrize(
    ("settings", "targets"),
    [
        ({"min_count": 2}, ["hund", "köter", "katze"]),
        ({"min_count": 3}, ["hund", "köter"]),
        ({"min_count": 1, "k": 1}, ["hund", "katze"]),
        ({"min_count": 1, "threshold": 0.34}, ["hund", "katze"]),
        ({"min_count": 1, "threshold": 0.3}, ["hund", "köter", "katze"]),
    ],
)
def test_few_links_low_scores_and_further_translations_are_left_out(made, settings, targets):
    assert [target for _, target, _, _ in made(DOGS, **settings)] == targets


def made_up(lines: int) -> tuple[Pairs, dict[str, str]]:
    """Sentences of 3 to 9 words in another order, and what each word means."""
    draw = np.random.default_rng(1)
    meant = {f"word{chr(97 + n)}": f"wort{chr(97 + n)}" for n in range(26)}
    pairs = []
    for _ in range(lines):
        words = draw.choice(list(meant), draw.integers(3, 10))
        pairs.append((" ".join(words) + ".", " ".join(meant[word] for word in draw.permutation(words)).capitalize()))
    return pairs, meant


@pytest.mark.parametrize("prior", [0.0, 1.0])
def test_every_word_of_reordered_sentences_finds_its_translation(made, prior):
    pairs, meant = made_up(300)
    best = {source: target for source, target, _, rank in made(pairs, prior=prior) if rank == 1}
    assert best == meant


def test_sources_are_look_up_keys_and_targets_words_as_they_are_written(made):
    rows = made([("Straße", "ISPARTA"), ("STRASSE", "Isparta")] * 2, source="de", target="tr")
    assert rows == [("strasse", "ısparta", 1.0, 1)]


def test_sources_come_by_falling_frequency_and_equal_scores_by_that_of_the_target(made):
    rows = made([("b", "y"), ("b", "x"), ("a", "z"), ("b", "y"), ("b", "x"), ("c", "x"), ("a", "z"), ("c", "x")])
    assert [row[:2] for row in rows] == [("b", "x"), ("b", "y"), ("a", "z"), ("c", "x")]


def test_words_that_no_pair_can_have_do_not_stand_for_what_is_left_of_a_line(made):
    pairs = [(f"dog unknown{chr(97 + n)}", f"hund {chr(97 + n)}unbekannt") for n in range(20)]
    assert [row[:2] for row in made(pairs)] == [("dog", "hund")]


def test_unspaced_text_is_cut_by_a_vocabulary(made, tmp_path):
    write_vectors(tmp_path / "zh", ["小狗", "猫"], np.eye(2, dtype=np.float32))
    pairs = [("dog", "小狗"), ("cat", "猫"), ("dog cat", "小狗猫"), ("cat dog", "猫小狗")] * 2
    rows = made(pairs, target="zh", target_vocabulary=tmp_path / "zh")
    assert sorted(row[:2] for row in rows if row[3] == 1) == [("cat", "猫"), ("dog", "小狗")]


def test_tables_are_put_together_and_those_the_other_way_round_are_turned(tmp_path):
    straight = stored(tmp_path / "a/en-de/train.parquet", [("dog", "Hund"), ("cat", "Katze")])
    turned = stored(tmp_path / "b/de-en/train.parquet", [("Hund", "dog"), ("Katze", "cat")])
    plain = stored(tmp_path / "de-en/en-de.parquet", [("dog", "Hund")])
    out = tmp_path / "out.parquet"
    counts = induce_from_bitext(bitext=[straight, turned, plain], source="en", target="de", out=out)
    assert counts == {"lines": 5, "left_out": 0, "words": 2, "rows": 2}
    assert read_table(out, LEXICON).rows() == [("dog", "hund", 1.0, 1), ("cat", "katze", 1.0, 1)]


def test_lines_without_words_and_very_long_ones_are_left_out_and_counted(tmp_path, capsys):
    long = " ".join(["dog"] * (LONGEST + 1))
    file = stored(tmp_path / "t.parquet", [("dog", "Hund"), ("dog", "Hund"), ("dog", "!"), (long, "Hund"), ("…", "–")])
    counts = induce_from_bitext(bitext=[file], source="en", target="de", out=tmp_path / "out.parquet")
    assert (counts["lines"], counts["left_out"]) == (2, 3)
    assert "en-de: 2 lines, 3 left out: a side has no word, or more than 200" in capsys.readouterr().err


def test_equal_lines_give_equal_bytes(made, tmp_path):
    pairs, _ = made_up(60)
    made(pairs)
    first = (tmp_path / "out.parquet").read_bytes()
    made(pairs)
    assert (tmp_path / "out.parquet").read_bytes() == first


@pytest.mark.parametrize(
    ("pairs", "settings", "said"),
    [
        ([("dog", "Hund")], {}, r"no pair passes \(threshold 0.01, min_count 2\): ask for less, or give more lines"),
        ([("!", "Hund")], {}, "nothing to align in 0 lines, 1 left out: .*: give parallel text with words on both"),
        (DOGS, {"iterations": 0}, "iterations: 0: write 1 or more"),
        (DOGS, {"k": 0}, "k: 0: write 1 or more"),
        (DOGS, {"min_count": 0}, "min_count: 0: write 1 or more"),
        (DOGS, {"threshold": 1.5}, "threshold: 1.5: write a number from 0 to 1"),
        (DOGS, {"prior": -1.0}, "prior: -1: write a number from 0 to 50"),
        (DOGS, {"prior": float("nan")}, "prior: nan: write a number from 0 to 50"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_leaves_nothing(made, tmp_path, pairs, settings, said):
    with pytest.raises(UserError, match=said) as caught:
        made(pairs, **settings)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.parquet").exists()


def test_a_table_that_nothing_is_said_of_has_the_source_on_its_first_side(tmp_path):
    file = stored(tmp_path / "mine/train.parquet", [("dog", "Hund")] * 2)
    induce_from_bitext(bitext=[file], source="en", target="de", out=tmp_path / "out.parquet")
    assert read_table(tmp_path / "out.parquet", LEXICON).rows() == [("dog", "hund", 1.0, 1)]


def test_parallel_text_of_other_languages_and_none_at_all_are_refused(tmp_path):
    file = stored(tmp_path / "en-fr/train.parquet", DOGS)
    for tables, said in (
        ([file], "parallel text of en-fr, and words of en-de are asked for: give the lines of en-de"),
        ([], "no table: name one or more"),
        ([tmp_path / "missing.parquet"], "missing.parquet: no such file"),
    ):
        with pytest.raises(UserError, match=said):
            induce_from_bitext(bitext=tables, source="en", target="de", out=tmp_path / "out.parquet")


def test_the_command_line_makes_the_same_lexicon(tmp_path, capsys):
    file = stored(tmp_path / "en-de/train.parquet", DOGS)
    out = tmp_path / "out.parquet"
    words = ["--bitext", str(file), "--source", "en", "--target", "de", "--min-count", "1", "--k", "2"]
    assert main(["lexicon", "bitext", *words, "--out", str(out)]) == 0
    assert [row[1] for row in read_table(out, LEXICON).rows()] == ["hund", "köter", "katze"]
    assert "2 words, 3 translations" in capsys.readouterr().out
