"""Relevance by answer string: which documents hold an answer word for word, found for all answers in one pass."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.collections.answers import answer_words, judge_by_answers
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


def held(folder: Path, answers: list[str], text: str) -> list[int]:
    """Numbers of the answers that a text holds."""
    asked = {str(number): [answer] for number, answer in enumerate(answers)}
    return [int(qid) for qid in judge_by_answers(documents(folder, text), asked)["qid"]]


def test_an_answer_inside_another_and_one_across_its_end_are_found(tmp_path) -> None:
    answers = ["b", "a b c", "b c", "c d", "a a b", "b"]

    assert held(tmp_path, answers, "a a b c d") == [0, 1, 2, 3, 4, 5]
    assert held(tmp_path, answers, "a x b") == [0, 5]
    assert held(tmp_path, answers, "") == []
    assert held(tmp_path, [], "a x b") == []


def test_documents_of_every_batch_are_searched(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("switchrank.collections.answers._BATCH", 2)
    judged = judge_by_answers(documents(tmp_path, "a", "b", "b a", "", "a"), {"q": ["a"]})

    assert judged["docid"].to_list() == ["d0", "d2", "d4"]


sequences = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), max_size=6)


@given(answers=sequences, words=st.lists(st.sampled_from("abcd"), max_size=20))
def test_one_pass_finds_what_comparing_every_stretch_finds(tmp_path_factory, answers, words) -> None:
    stretches = {tuple(words[a:b]) for a in range(len(words)) for b in range(a + 1, len(words) + 1)}
    folder = tmp_path_factory.mktemp("held")

    assert held(folder, [" ".join(answer) for answer in answers], " ".join(words)) == [
        n for n, answer in enumerate(answers) if tuple(answer) in stretches
    ]


no_controls = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(" \t\n\u0301\u200d'.,-"))


@given(text=no_controls)
def test_words_of_a_text_are_those_that_every_other_room_sees(text) -> None:
    assert answer_words(text) == [key(word) for word in split_words(text)[0]]


@given(text=no_controls, start=st.integers(0, 20), length=st.integers(1, 6))
def test_any_stretch_of_a_text_is_found_in_it(tmp_path_factory, text, start, length) -> None:
    answer = " ".join(text.split()[start : start + length])

    assert not answer_words(answer) or held(tmp_path_factory.mktemp("held"), [answer], text) == [0]


def test_a_long_answer_that_nearly_matches_everywhere_costs_no_more(tmp_path) -> None:
    text = "a " * 100_000

    assert judge_by_answers(documents(tmp_path, text), {"q": ["a " * 50_000 + "b"]}).is_empty()
