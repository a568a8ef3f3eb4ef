"""The scripts that languages are written in, by the Script property of Unicode (UAX 24)."""

from collections.abc import Callable

import regex

_LANGUAGES = {
    "Arabic": "ar fa prs ur ps sd ug ckb ku ks arz azb pnb",
    "Armenian": "hy",
    "Bengali": "bn as",
    "Cyrillic": "ru uk be bg mk sr kk ky tg mn tt ba cv os ce ab av kv sah tyv udm",
    "Devanagari": "hi mr ne sa awa bho hne mag mai",
    "Ethiopic": "am ti",
    "Georgian": "ka",
    "Greek": "el",
    "Gujarati": "gu",
    "Gurmukhi": "pa",
    "Han": "zh yue wuu",
    "Hangul": "ko",
    "Hebrew": "he yi",
    "Kannada": "kn",
    "Khmer": "km",
    "Lao": "lo",
    "Malayalam": "ml",
    "Myanmar": "my",
    "Nko": "nqo",
    "Ol_Chiki": "sat",
    "Oriya": "or",
    "Sinhala": "si",
    "Tamil": "ta",
    "Telugu": "te",
    "Thaana": "dv",
    "Thai": "th",
    "Tibetan": "bo dz",
    "Tifinagh": "zgh",
}
_SCRIPTS = {code: [script] for script, codes in _LANGUAGES.items() for code in codes.split()}
_SCRIPTS |= {"ja": ["Han", "Hiragana", "Katakana"], "sr": ["Cyrillic", "Latin"], "ku": ["Arabic", "Latin"]}
_PRIVATE = regex.compile("q[a-t][a-z]")
"""Codes that ISO 639 leaves to their user."""


def _own(language: str) -> str:
    """The letters of a language as part of a set of characters."""
    code = language.partition("-")[0]
    if _PRIVATE.fullmatch(code):
        return r"\p{L}"
    return "".join(rf"\p{{Script={script}}}" for script in _SCRIPTS.get(code, ["Latin"]))


def letters_of(language: str) -> regex.Pattern[str]:
    """A letter of a language: Latin for languages that are not listed, any for codes of private use (qaa to qtz)."""
    return regex.compile(f"[{_own(language)}]")


def is_foreign_to(language: str) -> Callable[[str], bool]:
    """Whether most of a text's letters are in other scripts than its language's; letters of all scripts do not count.

    Letters are weighed by their bytes in UTF-8: a name in Latin letters is longer than the Chinese words around it.

    Example:
        >>> is_foreign_to("ru")("Москва is the capital of Russia")
        True
    """
    own = letters_of(language)
    other = regex.compile(rf"(?V1)[\p{{L}}--\p{{Script=Common}}--\p{{Script=Inherited}}--[{_own(language)}]]")

    def is_foreign(text: str) -> bool:
        strange = _weight(other, text)
        return strange > 0 and strange > _weight(own, text)

    return is_foreign


def _weight(letters: regex.Pattern[str], text: str) -> int:
    return len("".join(letters.findall(text)).encode())
