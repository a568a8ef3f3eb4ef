"""Unicode: which words count as equal, and how text is normalised that is written out.

Words are looked up under :func:`key`, everywhere. It is toNFKC_Casefold of the Unicode Standard (section 3.13, D147;
UAX 31), so that case, composition, presentation forms, full width, ligatures and invisible characters make no
difference, and three small rules for what ordinary writing leaves out or mixes up:

- Arabic tatweel and vowel signs, Hebrew points and accents do not count.
- ``ı`` and ``i`` are one letter, with or without a dot above, so that ``İzmir``, ``izmir`` and ``IZMIR`` are equal in
  any language.
- the apostrophes U+2018, U+2019, U+02BB and U+02BC and the acute accent U+00B4 that stands for one are ``'``.

Other accents count: ``é`` is not ``e``. A key is for look-up alone. Text is written out as it was given, with words
from elsewhere in NFC, lower-cased only by :func:`lower`.
"""

import re
from functools import lru_cache
from unicodedata import is_normalized, normalize

import regex

_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Default_Ignorable_Code_Point: joiners, direction marks, soft hyphen, variation selectors, fillers."""
_OPTIONAL = "\u0640\u064b-\u0652\u0670\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
"""Tatweel, Arabic vowel signs, Hebrew accents and points."""
_DOTLESS, _DOT_ABOVE = "\u0131", "\u0307"
_ONE_FOR_MANY = str.maketrans({_DOTLESS: "i", **dict.fromkeys("\u00b4\u2018\u2019\u02bb\u02bc", "'")})
_SPACED = (
    "\u00a8\u00af\u00b8\u02d8-\u02dd\u037a\u0384\u1fbd\u1fbf\u1fc0\u1ffe\u2017\u203e\u309b\u309c\ufc5e-\ufc63"
    "\ufdfa\ufdfb\ufe49-\ufe4c\ufe70\ufe72\ufe74\ufe76\ufe78\ufe7a\ufe7c\ufe7e\uffe3"
)
"""Characters whose compatibility form has a space in it, which goes: a word's key is one word."""

_DROPPED = re.compile(f"[{_IGNORABLE}{_OPTIONAL}]+")
_TOGETHER = re.compile(f"[{_SPACED}]")
_DOTTED = regex.compile(rf"(i[^\p{{ccc=0}}\p{{ccc=230}}]*){_DOT_ABOVE}")
_SPECIAL = re.compile(f"[{_IGNORABLE}{_OPTIONAL}\u0130\u0149\u02bb\u02bc\u2018\u2019\u0307\u0345\u1f80-\u1fff]")
"""What casefold alone does not treat as :func:`key` does, though its result is in NFKC."""

_REMEMBERED_LENGTH = 40
"""Characters of the longest string whose key is cached."""
_DOTTED_LANGUAGES = frozenset({"tr", "tur", "az", "aze", "azj", "azb", "crh", "gag", "tt", "tat", "ba", "bak"})
"""Languages that have two letters, ``I ı`` and ``İ i``, when written in Latin script."""


def key(word: str) -> str:
    """The form under which a word is looked up: the same for all ways to write it, and its own key.

    No key is empty: a word of nothing but characters that do not count stays as it is, in NFC.
    """
    if word.isascii():
        return word.lower()
    return _remembered(word) if len(word) <= _REMEMBERED_LENGTH else _key(word)


def _key(word: str) -> str:
    """:func:`key` of any text, by a short cut where that is enough."""
    folded = word.casefold().replace(_DOTLESS, "i")
    if not _SPECIAL.search(word) and is_normalized("NFKC", folded):
        return folded
    return _fold(word)


_remembered = lru_cache(maxsize=1 << 16)(_key)


def _fold(word: str) -> str:
    """:func:`key` step by step, until nothing changes."""
    folded, before = _fold_once(word), word
    while folded != before:
        folded, before = _fold_once(folded), folded
    return folded or normalize("NFC", word)


def _fold_once(text: str) -> str:
    text = normalize("NFD", text).translate(_ONE_FOR_MANY)
    text = _TOGETHER.sub(lambda match: normalize("NFKD", match[0]).replace(" ", ""), text)
    text = _DROPPED.sub("", normalize("NFKD", text))
    text = normalize("NFKD", text.casefold()).translate(_ONE_FOR_MANY)
    return normalize("NFKC", _DOTTED.sub(r"\1", text) if _DOT_ABOVE in text else text)


def lower(text: str, language: str = "") -> str:
    """Lower-case NFC text for output; by the code of its language Turkish ``I`` becomes ``ı``, ``İ`` becomes ``i``."""
    text = normalize("NFC", text)
    if language in _DOTTED_LANGUAGES:
        text = text.replace("İ", "i").replace("I", "ı")
    return normalize("NFC", text.lower())
