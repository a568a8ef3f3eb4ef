"""Words: boundaries, losslessness, look-up keys, unspaced text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.text.words import Segmenter, join_words, key, split_words


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
        ("l’été, c’est", ["l’été", "c’est"]),
        ("co\u00adoperate", ["co\u00adoperate"]),
        ("می\u200cخواهم بروم", ["می\u200cخواهم", "بروم"]),
        ("one\u200btwo", ["one", "two"]),
        ("\u200fשלום עולם", ["שלום", "עולם"]),
        ("\ufeffword", ["word"]),
        ("ＦＵＬＬ１ ｶﾞｽ", ["ＦＵＬＬ１", "ｶﾞｽ"]),
        ("क़लम से", ["क़लम", "से"]),
        ("한국어 \u1112\u1161\u11ab", ["한국어", "\u1112\u1161\u11ab"]),
        ("hi 👩\u200d👧 ❤\ufe0f \u200d", ["hi"]),
        ("ma'aikata 'yan", ["ma'aikata", "yan"]),
        ("say 'apple', l'apple; ’eau ''is'", ["say", "apple", "l'apple", "eau", "is"]),
    ],
)
def test_a_word_is_what_unicode_says_and_punctuation_is_gap(text, words):
    assert split_words(text)[0] == words


@given(st.text())
def test_words_do_not_depend_on_how_characters_are_composed(text):
    composed = unicodedata.normalize("NFC", text)
    assert [*map(key, split_words(composed)[0])] == [*map(key, split_words(text)[0])]


def test_unspaced_text_is_cut_by_the_longest_known_word():
    assert Segmenter(["ab", "abc", "d"])("abcdab, xd") == (["abc", "d", "ab", "x", "d"], ["", "", "", ", ", "", ""])
