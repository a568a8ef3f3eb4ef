"""Relevance by answer string: which documents hold an answer word for word, found for all answers in one pass."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.collections.answers import AnswerMatcher, answer_words, judge_by_answers
from switchrank.formats.tables import DOCUMENTS, write_table
from switchrank.text.words import key, split_words


def documents(folder: Path, *texts: str) -> Path:
    path = folder / "documents-en.parquet"
    rows = [(f"d{number}", text, "g") for number, text in enumerate(texts)]
    write_table(pl.DataFrame(rows, schema=DOCUMENTS, orient="row"), path, DOCUMENTS)
    return path


def test_every_document_that_holds_an_answer_is_relevant_once(tmp_path) -> None:
    table = documents(tmp_path, "Built by Ada Lee in 1850.", "Lee, Ada (1815)", "In 1850 Ada Lee, Ada Lee!", "")
    judged = judge_by_answers(table, {"who": ["Ada Lee", "lee ada"], "when": ["1850"], "where": ["Rome"]})

    assert judged.rows() == [
        ("who", "d0", 1),
        ("who", "d1", 1),
        ("who", "d2", 1),
        ("when", "d0", 1),
        ("when", "d2", 1),
    ]


@pytest.mark.parametrize(
    ("answer", "text", "held"),
    [
        ("rome", "All roads lead to ROME.", True),
        ("Rom", "All roads lead to Rome.", False),
        ("Jean-Luc", "Jean Luc came", True),
        ("cafe\u0301", "the caf\u00e9 is shut", True),
        ("cafe", "the caf\u00e9 is shut", False),
        ("Straße", "DIE STRASSE", True),
        ("3,600", "about 3,600 men", True),
        ("600", "about 3,600 men", False),
        ("北京", "他住在北京市", True),
        ("北市", "他住在北京市", False),
        ("...", "what ...", False),
        ("", "text", False),
    ],
)
def test_words_are_compared_caselessly_under_one_normalisation(tmp_path, answer, text, held) -> None:
    assert len(judge_by_answers(documents(tmp_path, text), {"q": [answer]})) == held


def test_answers_without_a_word_are_counted(tmp_path, capsys) -> None:
    judge_by_answers(documents(tmp_path, "a b"), {"q": ["?", "b"], "r": [""]}, what="en")

    assert "en: warning: 2 answers left out: they hold no word" in capsys.readouterr().err


def test_an_answer_inside_another_and_one_across_its_end_are_found() -> None:
    matcher = AnswerMatcher([["b"], ["a", "b", "c"], ["b", "c"], ["c", "d"], ["a", "a", "b"], ["b"]])

    assert sorted(matcher.find(["a", "a", "b", "c", "d"])) == [0, 1, 2, 3, 4, 5]
    assert matcher.find(["a", "x", "b"]) == [0, 5]
    assert matcher.find([]) == []


sequences = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), max_size=6)


@given(answers=sequences, words=st.lists(st.sampled_from("abcd"), max_size=20))
def test_one_pass_finds_what_comparing_every_stretch_finds(answers, words) -> None:
    stretches = {tuple(words[a:b]) for a in range(len(words)) for b in range(a + 1, len(words) + 1)}

    assert sorted(AnswerMatcher(answers).find(words)) == [
        n for n, answer in enumerate(answers) if tuple(answer) in stretches
    ]


no_controls = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(" \t\n\u0301\u200d'.,-"))


@given(text=no_controls)
def test_words_of_a_text_are_those_that_every_other_room_sees(text) -> None:
    assert answer_words(text) == [key(word) for word in split_words(text)[0]]


@given(text=no_controls, start=st.integers(0, 20), length=st.integers(1, 6))
def test_any_stretch_of_words_of_a_text_is_found_in_it(text, start, length) -> None:
    words = answer_words(text)
    answer = words[start : start + length]

    assert not answer or AnswerMatcher([answer]).find(words) == [0]


def test_a_long_answer_that_nearly_matches_everywhere_costs_no_more(tmp_path) -> None:
    text = "a " * 100_000

    assert judge_by_answers(documents(tmp_path, text), {"q": ["a " * 50_000 + "b"]}).is_empty()
