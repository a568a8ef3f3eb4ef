"""The English of the made-up world: its word list (``english.txt``) and the few rules that inflect it.

A *concept* is what English says with one lemma or with two synonyms; the invented languages name the same concepts.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

SLOTS = {"noun": ("sg", "pl", "sg_obl", "pl_obl"), "verb": ("pres", "base", "past", "ing"), "adj": ("adj",)}
"""The grammatical forms of each part of speech; a language may use one word for several of them."""
KINDS = {"n": ("noun", False), "v": ("verb", False), "i": ("verb", True), "a": ("adj", False)}

Forms = dict[str, str]
"""Slot name -> word."""

_SIBILANT = re.compile(r"(s|x|z|ch|sh)$")
_CONSONANT_Y = re.compile(r"(?<=[^aeiou])y$")
_SHORT = re.compile(r"(qu|[^aeiou])*[aeiou][^aeiouwxy]$")
_FIELD = re.compile(r"([a-z]+)(?:\(([a-z]+)\))?")


@dataclass(frozen=True)
class Concept:
    """One meaning: ``kind`` noun, verb or adj; ``words`` the inflected forms of each English synonym."""

    kind: str
    theme: str
    intransitive: bool
    words: tuple[Forms, ...]


def _noun(lemma: str, plural: str | None) -> Forms:
    regular = lemma[:-1] + "ies" if _CONSONANT_Y.search(lemma) else lemma + ("es" if _SIBILANT.search(lemma) else "s")
    plural = plural or regular
    return {"sg": lemma, "pl": plural, "sg_obl": lemma, "pl_obl": plural}


def _verb(lemma: str, past: str | None) -> Forms:
    third = _noun(lemma, None)["pl"]
    doubled = lemma + lemma[-1] if _SHORT.fullmatch(lemma) else lemma
    if past and past.endswith("ed") and past[:-2] == lemma + lemma[-1]:
        doubled = past[:-2]
    regular = lemma + "d" if lemma.endswith("e") else _CONSONANT_Y.sub("i", doubled) + "ed"
    stem = lemma[:-1] if re.search(r"[^eoy]e$", lemma) else doubled
    return {"pres": third, "base": lemma, "past": past or regular, "ing": stem + "ing"}


def _words(kind: str, field: str) -> tuple[Forms, ...]:
    forms = []
    for part in field.split("/"):
        match = _FIELD.fullmatch(part)
        if match is None:
            raise ValueError(f"english.txt: {field!r} is not lemma(irregular)/synonym")
        lemma, irregular = match.groups()
        forms.append({"adj": lemma} if kind == "adj" else (_noun if kind == "noun" else _verb)(lemma, irregular))
    return tuple(forms)


@cache
def english_concepts() -> tuple[Concept, ...]:
    """All concepts of ``english.txt``, in file order, theme by theme."""
    concepts = []
    theme = ""
    for line in (files(__package__) / "english.txt").read_text(encoding="utf-8").splitlines():
        label, *fields = line.split()
        if label == "theme":
            theme = fields[0]
        elif label != "#":
            kind, intransitive = KINDS[label]
            concepts += [Concept(kind, theme, intransitive, _words(kind, field)) for field in fields]
    return tuple(concepts)


@cache
def themes() -> tuple[str, ...]:
    """The themes of the word list, in file order."""
    return tuple(dict.fromkeys(concept.theme for concept in english_concepts()))
