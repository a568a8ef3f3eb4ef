"""Words: boundaries, losslessness, look-up keys, unspaced text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.words import Segmenter, join_words, key, split_words


@given(st.text())
def test_words_and_gaps_put_together_are_the_text(text):
    words, gaps = split_words(text)
    assert len(gaps) == len(words) + 1
    assert join_words(words, gaps) == text


@given(st.text(), st.lists(st.text(min_size=1)))
def test_cutting_unspaced_text_loses_nothing(text, vocabulary):
    assert join_words(*Segmenter(vocabulary)(text)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A cat-like card?", ["A", "cat", "like", "card"]),
        ("don't pay 3,000.50!", ["don't", "pay", "3,000.50"]),
        ("(Straße)", ["Straße"]),
        ("ქართული ენა", ["ქართული", "ენა"]),
        ("... --- !", []),
        ("\u0300 a", ["\u0300", "a"]),
        ("", []),
    ],
)
def test_a_word_is_what_unicode_says_and_punctuation_is_gap(text, words):
    assert split_words(text)[0] == words


@pytest.mark.parametrize(
    ("one", "other"), [("STRASSE", "straße"), ("Σίσυφος", "ΣΊΣΥΦΟΣ"), ("e\u0301", "É"), ("İ", "i\u0307")]
)
def test_keys_ignore_case_and_composition(one, other):
    assert key(one) == key(other)


@given(st.text())
def test_a_key_is_its_own_key(text):
    assert key(key(text)) == key(text)


def test_unspaced_text_is_cut_by_the_longest_known_word():
    assert Segmenter(["ab", "abc", "d"])("abcdab, xd") == (["abc", "d", "ab", "x", "d"], ["", "", "", ", ", "", ""])
