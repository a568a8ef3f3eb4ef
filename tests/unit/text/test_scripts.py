"""In whose letters a text is written."""

from __future__ import annotations

import pytest

from switchrank.text.scripts import is_foreign_to, letters_of


@pytest.mark.parametrize(
    ("language", "text", "foreign"),
    [
        ("de", "Größe", False),
        ("de", "Размер", True),
        ("ru", "Размер", False),
        ("ru", "Size", True),
        ("ru", "Ноутбук iPhone", False),
        ("zh", "BBC 在 Peter Macaroni 球场报道了该事件", False),
        ("zh", "BBC Scotland 的 Peter Macaroni", True),
        ("ja", "コーヒー", False),
        ("ja", "カップと茶碗", False),
        ("ko", "커피", False),
        ("sr", "kafa", False),
        ("sr", "кафа", False),
        ("en", "3, 2, 1!", False),
        ("en", "", False),
        ("qab", "שלום", False),
        ("pt-br", "olá", False),
    ],
)
def test_most_letters_decide(language, text, foreign):
    assert is_foreign_to(language)(text) is foreign


def test_languages_that_are_not_listed_have_latin_letters():
    assert letters_of("sw").match("a")
    assert not letters_of("sw").match("я")
