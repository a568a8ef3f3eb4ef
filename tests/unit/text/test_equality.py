"""Look-up keys and lower case: the Unicode cases that real text brings."""

import re
import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from switchrank.text import equality
from switchrank.text.equality import key, lower
from switchrank.text.words import split_words

BASES = "aIiıİßẞſΣσςΐᾳαغبكاآאשكㄱ가각がカ漢क़क½ﬁＡ１'’ʼ ­_."
MARKS = "\u0301\u0307\u0323\u0308\u0345\u0653\u064e\u0651\u05b8\u093c\u3099\u0327"
SIGNS = "\u00ad\u200b\u200c\u200d\u200e\u2067\u2069\ufeff\u034f\ufe0f\u0640"
TRICKY = st.text(st.sampled_from(BASES + MARKS + SIGNS), max_size=12) | st.text(max_size=12)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("İzmir", "izmir"),
        ("İZMİR", "IZMIR"),
        ("i\u0307zmir", "izmir"),
        ("I\u0323\u0307", "ị"),
        ("IŞIK", "ışık"),
        ("ISPARTA", "Isparta"),
        ("STRASSE", "straße"),
        ("STRAẞE", "strasse"),
        ("ΟΔΥΣΣΕΎΣ", "Οδυσσεύς"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ᾳ\u0301", "α\u0301\u0345"),
        ("ﻛﺘﺎﺏ", "كتاب"),
        ("كـــتاب", "كتاب"),
        ("كِتَابٌ", "كتاب"),
        ("ﷲ", "الله"),
        ("שָׁלוֹם", "שלום"),
        ("\ufb2aלום", "שלום"),
        ("می\u200cخواهم", "میخواهم"),
        ("co\u00adoperate", "cooperate"),
        ("\u200fשלום\u200e", "שלום"),
        ("word\ufeff", "word"),
        ("zero\u200b\u2060width", "zerowidth"),
        ("e\u0301", "É"),
        ("a\u0323\u0302", "a\u0302\u0323"),
        ("ｆｕｌｌ１２", "full12"),
        ("ﬁﬂ", "fifl"),
        ("ſ", "S"),
        ("한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8"),
        ("ｶﾞｽ", "ガス"),
        ("क़लम", "क\u093cलम"),
        ("m²", "M2"),
        ("ma’aikata", "ma'aikata"),
        ("п’ять", "пʼять"),
        ("oʻzbek", "o‘zbek"),
        ("don´t", "don't"),
        ("❤\ufe0f", "❤"),
    ],
)
def test_ways_to_write_one_word_have_one_key(one, other):
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("resume", "résumé"),
        ("σισυφος", "σίσυφος"),
        ("گ", "ک"),
        ("ی", "ي"),
        ("أ", "ا"),
        ("か", "カ"),
        ("が", "か"),
        ("٣", "3"),
        ("ñ", "n"),
    ],
)
def test_letters_and_accents_that_tell_words_apart_keep_them_apart(one, other):
    assert key(one) != key(other)


def test_keys_are_those_of_the_unicode_standard_where_no_rule_of_ours_speaks():
    # NFKC_Casefold of DerivedNormalizationProps.txt (Unicode Character Database)
    golden = {"Å": "å", "ǅ": "dž", "ϒ": "υ", "㎏": "kg", "№": "no", "ⅷ": "viii", "Ω": "ω", "ᏸ": "Ᏸ", "…": "..."}
    assert {text: key(text) for text in golden} == golden


def test_a_word_of_signs_that_do_not_count_is_its_own_key():
    assert [key(word) for word in ("\u064e", "ـ", "\u200d", "\ufe70")] == ["\u064e", "ـ", "\u200d", "\ufe70"]


def test_the_signs_left_out_are_those_that_unicode_calls_default_ignorable():
    unicode = regex.compile(r"\p{Default_Ignorable_Code_Point}")
    ours = re.compile(f"[{equality._IGNORABLE}]")
    every = [chr(code) for code in range(0x110000)]
    assert [c for c in every if unicode.match(c)] == [c for c in every if ours.match(c)]


def test_every_character_has_one_key_in_any_case_and_composition():
    for code in (*range(0xD800), *range(0xE000, 0x30000)):
        character = chr(code)
        folded = key(character)
        forms = [unicodedata.normalize(form, character) for form in ("NFC", "NFD")]
        cases = [character.upper(), character.lower(), character.title()]
        assert {key(form) for form in (folded, *forms, *cases)} == {folded}, hex(code)
        assert folded == equality._fold(character), hex(code)
        assert folded
        assert character.isspace() == any(map(str.isspace, folded)), hex(code)


@given(TRICKY)
def test_a_key_is_its_own_key(text):
    assert key(key(text)) == key(text)


@given(TRICKY)
def test_canonically_equivalent_strings_have_one_key(text):
    assert key(unicodedata.normalize("NFC", text)) == key(text) == key(unicodedata.normalize("NFD", text))


@given(TRICKY)
def test_the_short_way_to_a_key_leads_where_the_long_way_does(text):
    assert key(text) == (text.lower() if text.isascii() else equality._fold(text))


@given(st.text(st.characters(categories=["Lu", "Ll", "Lt"]), min_size=1, max_size=12))
def test_keys_ignore_case_in_every_cased_script(word):
    assert key(word.lower()) == key(word) == key(word.upper())


@given(TRICKY)
def test_a_word_of_a_text_has_a_key_without_white_space(text):
    for word in split_words(text)[0]:
        assert key(word)
        assert not any(map(str.isspace, key(word)))


@pytest.mark.parametrize(
    ("text", "language", "lowered"),
    [
        ("Iğdır İLİ", "tr", "ığdır ili"),
        ("I\u0307zmir", "tr", "izmir"),
        ("IRAN", "de", "iran"),
        ("ΟΔΟΣ", "el", "οδος"),
        ("STRAßE", "de", "straße"),
        ("É E\u0301", "fr", "é é"),
        ("", "", ""),
    ],
)
def test_lower_case_follows_the_language(text, language, lowered):
    assert lower(text, language) == lowered
